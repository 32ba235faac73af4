import assert from 'node:assert/strict';
import type { Served, WireClient } from './helpers.ts';

/** A server where anonymous clients may do nothing, and one administrator is. */
export const admin = { 'admin-user': 'admin', 'admin-password': 'secret', 'anon-perms': '@none' };

/** A client of a server where anonymous clients may do nothing, logged in as a user with these permissions. */
export async function loggedIn(server: Served, username: string, permissions: readonly string[]): Promise<WireClient> {
  const boss = await asAdmin(server);
  const made = (await boss.ask('new-user', { username, permissions: [...permissions] })) as { token: string };
  const client = server.connect();
  const { result } = (await client.ask('auth', { username, token: made.token })) as { result: boolean };
  assert.equal(result, true);
  return client;
}

export async function asAdmin(server: Served): Promise<WireClient> {
  const client = server.connect();
  await client.ask('auth', { username: 'admin', token: 'secret' });
  return client;
}
