import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { circlesOf, type Import, importsOf } from '../../scripts/imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The room a file is in. */
function roomOf(file: string): string {
  const [top, second, third] = file.split('/');
  if (top !== 'lib') return top!;
  if (second === 'storage') return third === 'sqlite' || third === 'postgres' ? `storage/${third}` : 'storage';
  return file.split('/').length > 2 ? second! : file;
}

const GROUND = ['lib/errors.ts', 'lib/log.ts'];
const SETTINGS = ['lib/options.ts', 'lib/config.ts', 'settings', 'asyncrpc', 'hashserv', 'prserv'];

/** For each room, the rooms it may look into beside itself and the ground (style.md, "The rooms"). */
const MAY: Readonly<Record<string, readonly string[]>> = {
  bin: ['cli'],
  cli: ['lib/server.ts', 'lib/lock.ts', ...SETTINGS],
  'lib/index.ts': ['lib/server.ts', ...SETTINGS],
  'lib/server.ts': [
    'storage',
    'storage/sqlite',
    'lib/upstream-login.ts',
    'lib/start-checks.ts',
    'lib/start-report.ts',
    ...SETTINGS,
  ],
  'lib/start-checks.ts': ['asyncrpc', 'lib/config.ts', 'lib/upstream-login.ts'],
  'lib/start-report.ts': ['lib/start-checks.ts'],
  'lib/upstream-login.ts': ['asyncrpc'],
  'lib/lock.ts': ['storage/sqlite'],
  settings: ['lib/options.ts'],
  'lib/config.ts': ['lib/options.ts', 'settings', 'asyncrpc', 'hashserv', 'prserv'],
  'lib/options.ts': ['asyncrpc'],
  hashserv: ['asyncrpc'],
  prserv: ['asyncrpc'],
  asyncrpc: [],
  // A service owns its store's interface, and the rules an engine applies inside its transactions.
  storage: ['hashserv', 'prserv'],
  'storage/sqlite': ['storage', 'hashserv', 'prserv', 'asyncrpc'],
  'lib/errors.ts': [],
  'lib/log.ts': [],
};

/** Of a service an engine may use only what is pure: the interface and the rules; of the protocol, the queue. */
const PURE = ['asyncrpc/fifo', 'hashserv/store', 'hashserv/where', 'prserv/store', 'prserv/get-pr', 'prserv/revision'];

function breach({ file, target, typeOnly }: Import): string | null {
  if (target === 'sqlite3')
    return file === 'lib/storage/sqlite/binding.ts' ? null : 'only the binding may know sqlite3';
  if (!target.startsWith('lib/') && !target.startsWith('bin/')) return null;
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to || GROUND.includes(to)) return null;
  // Settings have one home; a type costs no dependency at run time.
  if (typeOnly && to === 'lib/config.ts') return null;
  if (!MAY[from]) return `the room ${from} is not known to this test`;
  if (!MAY[from].includes(to)) return `${from} may not look into ${to}`;
  const engine = from.startsWith('storage') && !to.startsWith('storage');
  if (engine && !PURE.includes(target.slice('lib/'.length, -'.ts'.length))) return `an engine may not use ${target}`;
  return null;
}

function sources(folder: string): string[] {
  return fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.c?ts$/.test(name))
    .map((name) => `${folder}/${name}`);
}

describe('the rooms', () => {
  const imports = ['lib', 'bin']
    .flatMap(sources)
    .flatMap((file) => importsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8')));

  test('look into each other in one direction only', () => {
    assert.ok(imports.length > 100, 'imports are found');
    const breaches = imports.flatMap((each) => {
      const why = breach(each);
      return why ? [`${each.file} imports ${each.target}: ${why}`] : [];
    });
    assert.deepEqual(breaches, []);
  });

  test('hold no more circles of imports, types included, than are known', () => {
    assert.ok(circlesOf(imports).length <= 6, JSON.stringify(circlesOf(imports), null, 2));
  });

  test('a circle would be found', () => {
    const circle = [
      ['lib/a.ts', "import type { B } from './b.ts';"],
      ['lib/b.ts', "import { c } from './c.ts';"],
      ['lib/c.ts', "import { a } from './a.ts';"],
      ['lib/d.ts', "import { a } from './a.ts';"],
    ].flatMap(([file, source]) => importsOf(file!, source!));
    assert.deepEqual(circlesOf(circle), [['lib/a.ts', 'lib/b.ts', 'lib/c.ts']]);
  });

  test('only server.ts picks an engine; lock.ts needs a file that can be locked, and no engine', () => {
    const pickers = imports.filter(
      ({ file, target }) => /^lib\/storage\//.test(target) && !/^lib\/storage\//.test(file),
    );
    assert.deepEqual([...new Set(pickers.map(({ file }) => file))].sort(), ['lib/lock.ts', 'lib/server.ts']);
  });

  test('asyncrpc names no hash and no PR', () => {
    for (const file of sources('lib/asyncrpc')) {
      const code = fs.readFileSync(path.join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      assert.doesNotMatch(code, /taskhash|outhash|pkgarch|checksum/, file);
    }
  });

  test('a breach would be found', () => {
    const wrong: readonly (readonly [file: string, source: string])[] = [
      ['lib/asyncrpc/connection.ts', "import { decidePr } from '../prserv/get-pr.ts';"],
      ['lib/hashserv/report.ts', "import type { PrStore } from '../prserv/store.ts';"],
      ['lib/prserv/commands.ts', "import {\n  READ,\n  type X,\n} from '../hashserv/permissions.ts';"],
      ['lib/hashserv/report.ts', "const { createHashStore } = await import('../storage/sqlite/hash-store.ts');"],
      ['lib/storage/sqlite/hash-store.ts', "import sqlite3 from 'sqlite3';"],
      ['lib/storage/sqlite/hash-store.ts', "import { createHashService } from '../../hashserv/service.ts';"],
      ['lib/storage/sqlite/database.ts', "import { resolveConfig } from '../../config.ts';"],
      ['lib/cli/serve.ts', "export * from '../storage/sqlite/database.ts';"],
      ['bin/bakeserv.ts', "import '../lib/server.ts';"],
      ['lib/errors.ts', "import type { Logger } from './asyncrpc/hub.ts';"],
    ];
    for (const [file, source] of wrong)
      assert.ok(
        importsOf(file, source).some((each) => breach(each)),
        source,
      );
  });
});
