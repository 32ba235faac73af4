import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importsOf } from '../../scripts/imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every file of ours that is loaded with this one. */
function loadedWith(file: string): ReadonlySet<string> {
  const loaded = new Set([file]);
  // A set goes on to what is added meanwhile.
  for (const each of loaded) {
    for (const { target, typeOnly, isCall } of importsOf(each, fs.readFileSync(path.join(ROOT, each), 'utf8')))
      if (!typeOnly && !isCall && target.startsWith('lib/')) loaded.add(target);
  }
  return loaded;
}

describe('the start of a server', () => {
  const loaded = loadedWith('lib/cli/commands/serve.ts');

  test('loads the hub and the stores', () => {
    for (const file of ['lib/asyncrpc/server/hub.ts', 'lib/storage/sqlite/hash/store.ts'])
      assert.ok(loaded.has(file), `${file} is not loaded: this test follows no imports`);
  });

  test('does not load Ajv, which has more files than anything else', () => {
    for (const file of loaded) {
      const imports = importsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8'));
      assert.deepEqual(
        imports.filter(({ target, typeOnly, isCall }) => target.startsWith('ajv') && !typeOnly && !isCall),
        [],
      );
    }
  });

  for (const [what, file] of [
    ['a link to an upstream', 'lib/asyncrpc/upstream/link.ts'],
    ['what dials', 'lib/asyncrpc/transport/dial.ts'],
    ['the client library', 'lib/asyncrpc/client/client.ts'],
    ['what asks an upstream for hashes', 'lib/hashserv/upstream/upstream.ts'],
    ['an access log', 'lib/access-log/file.ts'],
    ['WebSockets', 'lib/asyncrpc/transport/websocket/server.ts'],
    ['TLS', 'lib/asyncrpc/transport/tls/listener.ts'],
    ['HTTP', 'lib/http/door.ts'],
    ['PostgreSQL', 'lib/storage/postgres/open.ts'],
    ['what runs jobs', 'lib/jobs/jobs.ts'],
    ['where jobs are kept', 'lib/storage/sqlite/jobs/records.ts'],
    ['kinds of jobs on hashes', 'lib/hashserv/jobs/kinds.ts'],
    ['kinds of jobs on PR values', 'lib/prserv/jobs/kinds.ts'],
    ['where insights are asked for', 'lib/insights/desk.ts'],
    ['what works insights out', 'lib/hashserv/insights/age.ts'],
    ['what insights read', 'lib/storage/sqlite/hash/insight-rows.ts'],
    ['jobs for the owner', 'lib/jobs/owner.ts'],
    ['what leads workers', 'lib/workers/lead.ts'],
  ] as const) {
    test(`does not load ${what} before it is wanted`, () => {
      assert.ok(fs.existsSync(path.join(ROOT, file)), `${file} is gone`);
      assert.ok(!loaded.has(file));
    });
  }
});
