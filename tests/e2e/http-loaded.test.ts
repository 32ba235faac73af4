import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../helpers.ts';

const DIST = path.join(import.meta.dirname, '../../dist/lib');

/** Starts a server on an address, and writes the addresses of all scripts that were loaded, as JSON. */
const LIST_MODULES = `
import inspector from 'node:inspector';
const session = new inspector.Session();
session.connect();
const urls = [];
session.on('Debugger.scriptParsed', ({ params }) => urls.push(params.url));
session.post('Debugger.enable');
const { startServer, resolveConfig, SILENT } = await import(${JSON.stringify(`${DIST}/index.js`)});
const [bind] = process.argv.slice(1);
const server = await startServer(resolveConfig({ bind: [bind], 'hashserv-db': 'h.db', 'prserv-db': 'p.db' }), SILENT);
await server.close();
console.log(JSON.stringify(urls));
`;

test('what serves HTTP is loaded by a server that has such a listener, and by no other', (t) => {
  const cwd = temporaryFolder(t);
  const loaded = (bind: string): string[] => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', LIST_MODULES, '--', bind],
      { cwd, encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as string[]).filter((url) => /lib\/http\/|node_modules\/@?fastify|\/ws\//.test(url));
  };
  assert.deepEqual(loaded('127.0.0.1:0'), []);
  const urls = loaded('http://127.0.0.1:0');
  for (const part of ['lib/http/door.js', 'fastify/fastify.js', '@fastify/swagger'])
    assert.ok(
      urls.some((url) => url.includes(part)),
      part,
    );
});
