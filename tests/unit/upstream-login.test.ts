import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { resolveConfig } from '../../lib/settings/config.ts';
import { upstreamLogin } from '../../lib/settings/upstream-login.ts';
import { temporaryFolder } from '../helpers.ts';

const ADDRESS = parseAddress('wss://hash.example.org/ws');

async function login(flags: Record<string, string>, environment: Record<string, string> = {}) {
  return upstreamLogin(resolveConfig(flags, environment).upstream, 'hashserv', ADDRESS, environment);
}

test('without a user nobody logs in at the upstream', async () => {
  assert.equal(await login({}), null);
});

test('the token comes from a flag, the environment or netrc, in this order', async (t) => {
  const folder = temporaryFolder(t);
  const netrc = path.join(folder, 'netrc');
  fs.writeFileSync(netrc, 'machine wss://hash.example.org/ws login builder password from-netrc\n', { mode: 0o600 });
  const file = path.join(folder, 'token');
  fs.writeFileSync(file, 'from-file\n', { mode: 0o600 });
  const user = { 'hashserv-upstream-user': 'builder' };
  const environment = { NETRC: netrc };
  assert.deepEqual(await login(user, environment), { username: 'builder', token: 'from-netrc' });
  const withFile = { ...user, 'hashserv-upstream-token-file': file };
  assert.deepEqual(await login(withFile, environment), { username: 'builder', token: 'from-file' });
  const both = { ...environment, BAKESERV_HASHSERV_UPSTREAM_TOKEN: 'from-environment' };
  assert.deepEqual(await login(user, both), { username: 'builder', token: 'from-environment' });
  // A flag is stronger than the environment, also when it names a file.
  assert.deepEqual(await login(withFile, both), { username: 'builder', token: 'from-file' });
});

test('a user without a token, and a token without a user, are named', async (t) => {
  const NETRC = path.join(temporaryFolder(t), 'none');
  const noToken = /hashserv-upstream-user builder: no token for wss:..hash.example.org.ws/;
  await assert.rejects(login({ 'hashserv-upstream-user': 'builder' }, { NETRC, HOME: NETRC }), noToken);
  await assert.rejects(login({ 'hashserv-upstream-token': 'x' }), /without --hashserv-upstream-user/);
});

test('a token file that is absent or empty is named', async (t) => {
  const file = path.join(temporaryFolder(t), 'token');
  const flags = { 'hashserv-upstream-user': 'builder', 'hashserv-upstream-token-file': file };
  await assert.rejects(login(flags), /token-file: .*no such file or directory/);
  fs.writeFileSync(file, '\n', { mode: 0o600 });
  await assert.rejects(login(flags), /is empty/);
});

test('the PR upstream has a login of its own', async () => {
  const flags = { 'hashserv-upstream-user': 'builder', 'hashserv-upstream-token': 'a', 'prserv-upstream-user': 'prs' };
  const { upstream } = resolveConfig({ ...flags, 'prserv-upstream-token': 'b' }, {});
  assert.deepEqual(await upstreamLogin(upstream, 'prserv', ADDRESS, {}), { username: 'prs', token: 'b' });
  assert.deepEqual(await upstreamLogin(upstream, 'hashserv', ADDRESS, {}), { username: 'builder', token: 'a' });
  const without = resolveConfig(flags, {}).upstream;
  const nowhere = { NETRC: '/nowhere/netrc' };
  const noToken =
    /--prserv-upstream-user prs: no token for .*; set BAKESERV_PRSERV_UPSTREAM_TOKEN or --prserv-upstream-token-file/;
  await assert.rejects(upstreamLogin(without, 'prserv', ADDRESS, nowhere), noToken);
});
