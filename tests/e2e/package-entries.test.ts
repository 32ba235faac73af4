import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hiddenTypes, namesOf } from './declarations.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const { dependencies, exports } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const ENTRIES = ['index', 'entries/client', 'entries/server'];

/** The program of docs/clients.md, and what it prints. */
const [PROGRAM, PRINTED] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/
  .exec(fs.readFileSync(path.join(ROOT, 'docs/clients.md'), 'utf8'))!
  .slice(1) as [string, string];

/** A user's settings, with none of ours: every declaration file is checked, ours and those of what we depend on. */
const COMPILER_OPTIONS = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'NodeNext',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: ['node'],
};

/** Writes the addresses of all scripts that were loaded, also those of CommonJS modules, as JSON. */
const LIST_MODULES = `
import inspector from 'node:inspector';
const session = new inspector.Session();
session.connect();
const urls = [];
session.on('Debugger.scriptParsed', ({ params }) => urls.push(params.url));
session.post('Debugger.enable');
const { connectHashClient, connectPrClient } = await import(process.argv[2]);
for (const connect of [connectHashClient, connectPrClient]) {
  const failed = await connect('unix://./nobody').then(() => null, (error) => error.code);
  if (failed !== 'address-error') throw new Error(String(failed));
}
const objects = process.report.getReport().sharedObjects;
console.log(JSON.stringify([...urls, ...objects]));
`;

describe('the packed tarball, in the folder of a program that depends on it', () => {
  let folder: string;
  const run = (command: string, args: readonly string[], cwd = folder) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-package-'));
    const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], ROOT);
    assert.equal(packed.status, 0, packed.stderr);
    const modules = path.join(folder, 'node_modules');
    fs.mkdirSync(path.join(modules, 'bakeserv'), { recursive: true });
    const tarball = path.join(folder, packed.stdout.trim());
    const unpacked = run('tar', ['-xzf', tarball, '-C', path.join(modules, 'bakeserv'), '--strip-components=1']);
    assert.equal(unpacked.status, 0, unpacked.stderr);
    // What npm would install beside it: its dependencies, and the types a program on Node.js brings itself.
    for (const name of [...Object.keys(dependencies), '@types/node']) {
      const link = path.join(modules, name);
      fs.mkdirSync(path.dirname(link), { recursive: true });
      fs.symlinkSync(fs.realpathSync(path.join(ROOT, 'node_modules', name)), link);
    }
    fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
    fs.writeFileSync(path.join(folder, 'program.ts'), PROGRAM);
    fs.writeFileSync(
      path.join(folder, 'all.ts'),
      "import * as all from 'bakeserv';\nconsole.log(typeof all.startServer);\n",
    );
    fs.writeFileSync(path.join(folder, 'modules.js'), LIST_MODULES);
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('the program of docs/clients.md has no type error, all declarations checked, and prints what the page says', () => {
    const compiled = run(path.join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]);
    assert.deepEqual(compiled, { status: 0, stdout: '', stderr: '' });
    assert.deepEqual(run(process.execPath, ['program.js']), { status: 0, stdout: PRINTED, stderr: '' });
    assert.deepEqual(run(process.execPath, ['all.js']), { status: 0, stdout: 'function\n', stderr: '' });
  });

  const modulesOf = (entry: string): string[] => {
    const { status, stdout, stderr } = run(process.execPath, ['modules.js', entry]);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const SERVER =
    /sqlite|lib\/server\.js|\/storage\/|asyncrpc\/(server|connection|upstream)\/|hashserv\/service|settings\//;

  test('bakeserv/client loads neither the server nor sqlite3', () => {
    const loaded = modulesOf('bakeserv/client');
    assert.ok(loaded.some((url) => url.endsWith('bakeserv/dist/lib/hashserv/client.js')));
    assert.deepEqual(
      loaded.filter((url) => SERVER.test(url)),
      [],
    );
  });

  test('the list of modules would show them: bakeserv loads both', () => {
    const loaded = modulesOf('bakeserv').filter((url) => SERVER.test(url));
    for (const part of ['node_modules/sqlite3/lib/sqlite3.js', 'node_sqlite3.node', 'dist/lib/server.js']) {
      assert.ok(
        loaded.some((url) => url.endsWith(part)),
        part,
      );
    }
  });

  test('nothing else of the package can be imported', () => {
    assert.deepEqual(Object.keys(exports), ['.', './client', './server']);
    const script = "await import('bakeserv/dist/lib/log.js').catch((error) => console.log(error.code))";
    const { stdout } = run(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(stdout, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

describe('the entries', () => {
  const declarations = (entry: string) => path.join(ROOT, 'dist/lib', `${entry}.d.ts`);

  for (const entry of ENTRIES) {
    test(`lib/${entry}.ts exports every type that a signature in it names, and no name by accident`, () => {
      assert.deepEqual(hiddenTypes(declarations(entry)), []);
      assert.doesNotMatch(fs.readFileSync(path.join(ROOT, 'lib', `${entry}.ts`), 'utf8'), /export \*/);
    });
  }

  test('bakeserv is bakeserv/client and bakeserv/server', () => {
    const [all, client, server] = ENTRIES.map((entry) => namesOf(declarations(entry)));
    assert.deepEqual([...all!].sort(), [...new Set([...client!, ...server!])].sort());
  });
});
