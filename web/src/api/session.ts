import type { Api } from './client.ts';

/** `GET /session`: who asks, and what is open to them here. */
export interface Session {
  readonly user: string | null;
  /** How the server knows: only a session of the page can be ended on the page. */
  readonly by: 'session' | 'token' | 'proxy' | 'certificate' | null;
  readonly expires: string | null;
  readonly permissions: readonly string[];
  /** Whether a user and token would be taken here. */
  readonly sign_in: boolean;
  /** Commands of the protocol that are open, by service; one that is not served is absent. */
  readonly may: { readonly hashserv?: readonly string[]; readonly prserv?: readonly string[] };
  /** Servers that may be pulled from by whoever may start jobs. */
  readonly pull_from: readonly string[];
  /** Whether whoever asks may have the shared state compared, of which the server is told. */
  readonly shared_state: boolean;
}

export const getSession = (api: Api, signal?: AbortSignal) =>
  api.ask<Session>('GET', ['session'], signal ? { signal } : {});

export const signIn = (api: Api, username: string, token: string) =>
  api.ask<Session>('POST', ['session'], { body: { username, token } });

export const signOut = (api: Api) => api.ask<unknown>('DELETE', ['session']);
