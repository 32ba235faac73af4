import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { configText, startCommand } from '../../lib/cli/transfer/clone-config.ts';
import { resolveConfig } from '../../lib/settings/config.ts';

const CONFIG = {
  source: 'unix:///run/first.sock',
  made: '2026-11-22T01:00:00.000Z',
  folder: '/srv/second',
  services: new Set(['hashserv', 'prserv'] as const),
  port: 8586,
  withUsers: false,
};

test('the configuration of a clone is one, of the services that the source had', () => {
  const both = resolveConfig({}, {}, undefined, { path: 'x', settings: parse(configText(CONFIG)) });
  assert.deepEqual([both.hashserv!.file, both.prserv!.file], ['/srv/second/hashserv.db', '/srv/second/prserv.sqlite3']);
  assert.deepEqual(
    both.binds.map(({ address }) => address),
    [
      { kind: 'unix', path: '/srv/second/hashserve.sock' },
      { kind: 'tcp', host: '127.0.0.1', port: 8586 },
    ],
  );
  const one = parse(configText({ ...CONFIG, services: new Set(['hashserv'] as const) }));
  assert.deepEqual([one['hashserv-db'], one.prserv], ['/srv/second/hashserv.db', false]);
});

test('no name of a folder or a source gets out of its place in the file', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '\n', '"', "'", '\\', ':', '#', ' ', ',', '-', '\r', '\u2028', 'é'),
  });
  fc.assert(
    fc.property(name, name, (folder, source) => {
      const settings = parse(configText({ ...CONFIG, folder: `/srv/${folder}x`, source }));
      assert.deepEqual(Object.keys(settings), ['bind', 'hashserv-db', 'prserv-db']);
      assert.equal(settings['hashserv-db'], `/srv/${folder}x/hashserv.db`);
      assert.equal(settings.bind[0].address, `unix:///srv/${folder}x/hashserve.sock`);
    }),
    { numRuns: 300 },
  );
});

test('the command that starts it names the file, whatever its name', () => {
  for (const folder of ['/srv/second', '/srv/a b', "/srv/it's", '/srv/$(x)`y`', '/srv/é'])
    assert.equal(
      spawnSync('sh', ['-c', `bakeserv() { printf %s "$3"; }; ${startCommand(folder)}`], { encoding: 'utf8' }).stdout,
      `${folder}/bakeserv.yaml`,
    );
});
