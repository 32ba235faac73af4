import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { autoPlace, buildFolder } from '../../lib/cli/auto/place.ts';
import { privateSettings } from '../../lib/cli/auto/settings.ts';
import { configOf } from '../../lib/settings/config.ts';
import type { Flags } from '../../lib/settings/settings.ts';

const PLACE = autoPlace('/build', undefined);
const config = async (flags: Flags, environment: NodeJS.ProcessEnv) =>
  configOf(await privateSettings(PLACE, flags, environment));

test('a private server listens in its build folder and on a loopback port, and syncs when it ends', async () => {
  const { binds, hashserv, prserv } = await config({}, {});
  assert.deepEqual(
    binds.map(({ address }) => address),
    [
      { kind: 'unix', path: '/build/hashserve.sock' },
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
    ],
  );
  assert.deepEqual([hashserv!.file, prserv!.file], ['/build/cache/hashserv.db', '/build/cache/prserv.sqlite3']);
  assert.deepEqual([hashserv!.syncMode, prserv!.syncMode], [{ kind: 'on_shutdown' }, { kind: 'on_shutdown' }]);
  const own = await config({ 'sync-mode': 'immediate' }, { BAKESERV_SYNC_MODE: 'periodic:3' });
  assert.deepEqual(own.hashserv!.syncMode, { kind: 'immediate' });
});

test('its upstreams are BitBake’s, unless ours are named, by variable or flag', async () => {
  const bitbake = { BB_HASHSERVE_UPSTREAM: 'wss://hash.example/ws', PRSERV_UPSTREAM: 'pr.example:8585' };
  const upstreams = async (flags: Flags, environment: NodeJS.ProcessEnv) => {
    const { hashserv, prserv } = await config(flags, environment);
    return [hashserv!.upstream, prserv!.upstream].map((address) => (address?.kind === 'unix' ? null : address?.host));
  };
  assert.deepEqual(await upstreams({}, {}), [undefined, undefined]);
  assert.deepEqual(await upstreams({}, bitbake), ['hash.example', 'pr.example']);
  const ours = { ...bitbake, BAKESERV_HASHSERV_UPSTREAM: 'ours.example:1' };
  assert.deepEqual(await upstreams({}, ours), ['ours.example', 'pr.example']);
  assert.deepEqual(await upstreams({ 'hashserv-upstream': 'flag.example:1' }, ours), ['flag.example', 'pr.example']);
});

test('the settings of the Rust PR server are not its own', async () => {
  const { prserv, readOnly } = await config({}, { PRSERV_DATABASE: '/elsewhere', PRSERV_READ_ONLY: 'true' });
  assert.deepEqual([prserv!.file, readOnly], ['/build/cache/prserv.sqlite3', false]);
});

test('the build folder is the one named, else TOPDIR, else BUILDDIR, else the current one', () => {
  const environment = { TOPDIR: '/top', BUILDDIR: '/builddir' };
  assert.equal(buildFolder('/named', environment), '/named');
  assert.equal(buildFolder(undefined, environment), '/top');
  assert.equal(buildFolder(undefined, { TOPDIR: '', BUILDDIR: '/builddir' }), '/builddir');
  assert.equal(buildFolder(undefined, {}), path.resolve('.'));
});

test('it mirrors no server that the environment names for a shared one', async () => {
  const environment = { BAKESERV_MIRROR: 'hash.example:8686' };
  assert.deepEqual((await config({}, environment)).mirrors, []);
  assert.equal((await config({ mirror: ['hash.example:8686'] }, environment)).mirrors.length, 1);
});
