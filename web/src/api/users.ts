import type { Api } from './client.ts';

export const PERMISSIONS = ['@read', '@report', '@db-admin', '@user-admin', '@all'] as const;

export interface User {
  readonly username: string;
  readonly permissions: readonly string[];
}

/** A token is in the one answer that made it, and nowhere else. */
export interface NewToken {
  readonly username: string;
  readonly token: string;
}

export const getUsers = (api: Api, signal: AbortSignal) => api.ask<{ users: User[] }>('GET', ['users'], { signal });

export const newUser = (api: Api, username: string, permissions: readonly string[]) =>
  api.ask<NewToken>('POST', ['users'], { body: { username, permissions } });

export const deleteUser = (api: Api, username: string) => api.ask<unknown>('DELETE', ['users', username]);

export const setPermissions = (api: Api, username: string, permissions: readonly string[]) =>
  api.ask<User>('PUT', ['users', username, 'permissions'], { body: { permissions } });

export const newToken = (api: Api, username: string) => api.ask<NewToken>('POST', ['users', username, 'token']);
