import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { circlesOf, type Import, importsOf } from '../../scripts/imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Every room, and the rooms it may look into beside itself and the ground. A room is a folder, without those that are
 * rooms of their own, or a file of lib. The longest name that fits a file is its room.
 */
const MAY: Readonly<Record<string, readonly string[]>> = {
  bin: ['lib/cli', 'lib/cli/*'],
  'lib/cli': [
    'lib/cli/*',
    'lib/server.ts',
    'lib/lock.ts',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/prserv',
  ],
  'lib/cli/args': ['lib/settings'],
  'lib/cli/commands': [
    'lib/files',
    'lib/cli',
    'lib/cli/args',
    'lib/cli/auto',
    'lib/cli/client',
    'lib/cli/process',
    'lib/server.ts',
    'lib/workers',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/hashserv',
  ],
  'lib/cli/process': [
    'lib/warnings',
    'lib/cli',
    'lib/cli/commands',
    'lib/server.ts',
    'lib/workers',
    'lib/jobs',
    'lib/settings',
    'lib/asyncrpc/*',
  ],
  'lib/cli/jobs': [
    'lib/cli/publish',
    'lib/cli/args',
    'lib/cli/client',
    'lib/cli/commands',
    'lib/cli/process',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/prserv',
  ],
  'lib/cli/publish': [
    'lib/jobs',
    'lib/cli/args',
    'lib/cli/client',
    'lib/cli/commands',
    'lib/cli/process',
    'lib/settings',
    'lib/asyncrpc/*',
  ],
  'lib/cli/auto': [
    'lib/cli',
    'lib/cli/commands',
    'lib/cli/process',
    'lib/server.ts',
    'lib/lock.ts',
    'lib/settings',
    'lib/asyncrpc/*',
  ],
  'lib/cli/stage': [
    'lib/files',
    'lib/cli/args',
    'lib/cli/auto',
    'lib/cli/client',
    'lib/cli/commands',
    'lib/cli/process',
    'lib/cli/publish',
    'lib/lock.ts',
    'lib/settings',
    'lib/asyncrpc/*',
  ],
  'lib/cli/upkeep': [
    'lib/cli/jobs',
    'lib/cli/args',
    'lib/cli/client',
    'lib/cli/commands',
    'lib/server.ts',
    'lib/settings',
  ],
  'lib/cli/transfer': [
    'lib/cli/jobs',
    'lib/files',
    'lib/cli/args',
    'lib/cli/auto',
    'lib/cli/client',
    'lib/cli/commands',
    'lib/cli/process',
    'lib/server.ts',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/transfer',
  ],
  'lib/cli/client': ['lib/files', 'lib/cli', 'lib/cli/args', 'lib/settings', 'lib/asyncrpc/*', 'lib/hashserv'],
  'lib/cli/insights': [
    'lib/files',
    'lib/settings',
    'lib/cli/args',
    'lib/cli/client',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/insights',
    'lib/insights/shared-state',
  ],
  'lib/cli/hashclient': [
    'lib/cli/jobs',
    'lib/cli/insights',
    'lib/files',
    'lib/hashserv/files',
    'lib/cli',
    'lib/cli/args',
    'lib/cli/client',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/hashserv/access',
  ],
  'lib/cli/prclient': [
    'lib/cli/insights',
    'lib/cli/jobs',
    'lib/files',
    'lib/cli',
    'lib/cli/args',
    'lib/cli/client',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/prserv',
    'lib/prserv/*',
  ],
  'lib/index.ts': ['lib/entries'],
  // Files of rows, for the commands and for jobs.
  'lib/files': ['lib/asyncrpc/wire'],
  'lib/entries': [
    'lib/warnings',
    'lib/recorder',
    'lib/start',
    'lib/jobs',
    'lib/server.ts',
    'lib/settings',
    'lib/asyncrpc/*',
    'lib/http',
    'lib/metrics',
    'lib/hashserv',
    'lib/prserv',
  ],
  'lib/access-log': ['lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/stores.ts': [
    'lib/start',
    'lib/metrics',
    'lib/settings',
    'lib/storage/*',
    'lib/pull',
    'lib/transfer',
    'lib/asyncrpc',
    'lib/hashserv',
    'lib/prserv',
    'lib/jobs',
  ],
  'lib/server.ts': [
    'lib/warnings',
    'lib/stores.ts',
    'lib/access-log',
    'lib/start',
    'lib/metrics',
    'lib/settings',
    'lib/storage/*',
    'lib/pull',
    'lib/http',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/hashserv/*',
    'lib/prserv',
    'lib/prserv/*',
    'lib/jobs',
    'lib/insights',
  ],
  'lib/workers': [
    'lib/warnings',
    'lib/recorder',
    'lib/server.ts',
    'lib/start',
    'lib/metrics',
    'lib/jobs',
    'lib/settings',
    'lib/asyncrpc',
    'lib/asyncrpc/server',
    'lib/asyncrpc/transport',
    'lib/hashserv',
  ],
  'lib/insights/shared-state': ['lib/files', 'lib/insights'],
  'lib/transfer': ['lib/hashserv', 'lib/prserv', 'lib/asyncrpc/*', 'lib/jobs'],
  'lib/pull': [
    'lib/settings',
    'lib/jobs',
    'lib/asyncrpc/*',
    'lib/hashserv',
    'lib/hashserv/commands',
    'lib/hashserv/files',
    'lib/prserv',
    'lib/prserv/files',
    'lib/prserv/pull',
    'lib/files',
    'lib/transfer',
  ],
  'lib/promote': [
    'lib/files',
    'lib/pull',
    'lib/settings',
    'lib/jobs',
    'lib/asyncrpc/wire',
    'lib/hashserv',
    'lib/hashserv/commands',
    'lib/prserv',
    'lib/prserv/pull',
  ],
  'lib/mirror': ['lib/pull', 'lib/settings', 'lib/jobs', 'lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/lock.ts': ['lib/storage/sqlite/engine'],
  'lib/meter': [],
  'lib/recorder': ['lib/metrics'],
  'lib/warnings': ['lib/http', 'lib/metrics', 'lib/asyncrpc/transport'],
  'lib/metrics': ['lib/asyncrpc', 'lib/settings'],
  'lib/start': [
    'lib/warnings',
    'lib/recorder',
    'lib/metrics',
    'lib/mirror',
    'lib/transfer',
    'lib/promote',
    'lib/pull',
    'lib/jobs',
    'lib/settings',
    'lib/asyncrpc',
    'lib/asyncrpc/server',
    'lib/asyncrpc/transport',
    'lib/asyncrpc/upstream',
    'lib/asyncrpc/wire',
    'lib/http',
    'lib/hashserv',
  ],
  'lib/settings': [
    'lib/asyncrpc',
    'lib/asyncrpc/client',
    'lib/asyncrpc/transport',
    'lib/hashserv/access',
    'lib/insights/shared-state',
  ],

  'lib/http': [
    'lib/http/*',
    'lib/recorder',
    'lib/metrics',
    'lib/asyncrpc',
    'lib/asyncrpc/server',
    'lib/asyncrpc/transport',
  ],
  'lib/http/page': ['lib/http'],
  'lib/http/sign-in': ['lib/http', 'lib/http/api', 'lib/asyncrpc', 'lib/asyncrpc/transport', 'lib/asyncrpc/wire'],
  'lib/http/api': [
    'lib/recorder',
    'lib/http',
    'lib/http/sign-in',
    'lib/asyncrpc',
    'lib/asyncrpc/transport',
    'lib/asyncrpc/wire',
  ],

  // Jobs know no hash and no PR: a service hands its kinds over.
  'lib/jobs': ['lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/hashserv/files': ['lib/hashserv', 'lib/files', 'lib/asyncrpc/wire'],
  // Nor do insights: what is read, and what is worked out of it, is a service's.
  'lib/insights': ['lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/hashserv/insights': ['lib/hashserv', 'lib/insights', 'lib/asyncrpc/wire'],
  'lib/hashserv': ['lib/hashserv/*', 'lib/asyncrpc/*', 'lib/jobs', 'lib/insights'],
  'lib/hashserv/commands': [
    'lib/hashserv',
    'lib/hashserv/access',
    'lib/hashserv/upstream',
    'lib/asyncrpc',
    'lib/asyncrpc/wire',
    'lib/jobs',
    'lib/insights',
    'lib/hashserv/insights',
  ],
  'lib/hashserv/jobs': [
    'lib/insights',
    'lib/insights/shared-state',
    'lib/hashserv/files',
    'lib/files',
    'lib/hashserv',
    'lib/hashserv/commands',
    'lib/hashserv/upstream',
    'lib/asyncrpc',
    'lib/asyncrpc/wire',
    'lib/jobs',
  ],
  'lib/hashserv/upstream': ['lib/hashserv', 'lib/asyncrpc', 'lib/asyncrpc/upstream', 'lib/asyncrpc/wire'],
  'lib/hashserv/access': ['lib/hashserv', 'lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/prserv': ['lib/prserv/*', 'lib/asyncrpc/*', 'lib/jobs', 'lib/insights'],
  'lib/prserv/commands': [
    'lib/prserv',
    'lib/prserv/upstream',
    'lib/prserv/insights',
    'lib/asyncrpc',
    'lib/asyncrpc/wire',
    'lib/jobs',
    'lib/insights',
  ],
  'lib/prserv/insights': ['lib/prserv', 'lib/insights'],
  'lib/prserv/files': ['lib/prserv', 'lib/prserv/commands', 'lib/files'],
  'lib/prserv/jobs': [
    'lib/prserv/files',
    'lib/files',
    'lib/prserv',
    'lib/prserv/commands',
    'lib/asyncrpc',
    'lib/asyncrpc/wire',
    'lib/jobs',
  ],
  'lib/prserv/pull': ['lib/prserv', 'lib/prserv/commands'],
  'lib/prserv/upstream': ['lib/prserv', 'lib/asyncrpc', 'lib/asyncrpc/upstream', 'lib/asyncrpc/wire'],

  'lib/asyncrpc': ['lib/asyncrpc/wire'],
  'lib/asyncrpc/wire': ['lib/asyncrpc'],
  'lib/asyncrpc/transport': ['lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/asyncrpc/shares': ['lib/asyncrpc'],
  'lib/asyncrpc/connection': ['lib/asyncrpc', 'lib/asyncrpc/shares', 'lib/asyncrpc/wire'],
  'lib/asyncrpc/server': ['lib/asyncrpc', 'lib/asyncrpc/connection', 'lib/asyncrpc/shares'],
  'lib/asyncrpc/client': ['lib/asyncrpc', 'lib/asyncrpc/transport', 'lib/asyncrpc/wire'],
  'lib/asyncrpc/upstream': ['lib/asyncrpc', 'lib/asyncrpc/transport', 'lib/asyncrpc/wire'],

  // A service owns its store's interface, and the rules an engine applies inside its transactions: see PURE.
  'lib/storage/memory': ['lib/hashserv', 'lib/prserv', 'lib/asyncrpc', 'lib/asyncrpc/wire'],
  'lib/storage/sqlite/engine': ['lib/asyncrpc'],
  'lib/storage/sqlite/file': ['lib/storage/sqlite/engine', 'lib/asyncrpc'],
  'lib/storage/sqlite/upkeep': ['lib/storage/sqlite/engine', 'lib/storage/sqlite/file', 'lib/hashserv'],
  'lib/storage/sqlite/hash': [
    'lib/storage/sqlite/engine',
    'lib/storage/sqlite/transfer',
    'lib/storage/memory',
    'lib/hashserv',
    'lib/hashserv/insights',
  ],
  'lib/storage/sqlite/jobs': ['lib/storage/sqlite/engine', 'lib/storage/sqlite/file', 'lib/jobs'],
  // What rows are, and what an end of a copy does with them.
  'lib/storage/sqlite/transfer': [
    'lib/storage/sqlite/engine',
    'lib/storage/sqlite/file',
    'lib/storage/sqlite/hash',
    'lib/storage/sqlite/pr',
    'lib/storage/sqlite/upkeep',
    'lib/transfer',
  ],
  'lib/storage/postgres/transfer': [
    'lib/storage/postgres/engine',
    'lib/storage/postgres/hash',
    'lib/storage/postgres/pr',
    'lib/transfer',
  ],
  'lib/storage/postgres': ['lib/storage/postgres/*'],
  'lib/storage/postgres/engine': ['lib/asyncrpc', 'lib/settings'],
  'lib/storage/postgres/hash': [
    'lib/storage/postgres/engine',
    'lib/storage/postgres/transfer',
    'lib/storage/memory',
    'lib/hashserv',
    'lib/hashserv/insights',
  ],
  'lib/storage/postgres/pr': ['lib/storage/postgres/engine', 'lib/storage/memory', 'lib/prserv'],
  'lib/storage/sqlite/pr': [
    'lib/storage/sqlite/engine',
    'lib/storage/memory',
    'lib/prserv',
    'lib/prserv/pull',
    'lib/asyncrpc',
  ],
};

/** What every room may look into. */
const GROUND = ['lib/ajv.ts', 'lib/errors.ts', 'lib/log.ts', 'lib/meter', 'lib/package-version.ts'];
/** Of a service an engine may use only what is pure: the interface and the rules; of the protocol, the queue, the bounded map, the ticker and views of bytes. */
const PURE = [
  'asyncrpc/fifo',
  'asyncrpc/bounded-map',
  'asyncrpc/ticker',
  'asyncrpc/wire/slate',
  'settings/database-address',
  'hashserv/store',
  'hashserv/insight-rows',
  'hashserv/insights/tuples',
  'hashserv/decide-report',
  'hashserv/find-rows',
  'hashserv/find-tasks',
  'hashserv/store-rules',
  'hashserv/task-spool',
  'hashserv/where',
  'hashserv/task-index',
  'prserv/insight-rows',
  'prserv/store',
  'prserv/get-pr',
  'prserv/revision',
  'prserv/pull/spool',
  'jobs/records',
  'transfer/ends',
  'transfer/parts',
];
const SETTINGS = 'lib/settings/config.ts';

/** The room a file is in; the file itself where it is in none. */
function roomOf(file: string): string {
  const rooms = Object.keys(MAY).filter((room) => file === room || file.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? file;
}

function breach({ file, target, typeOnly }: Import): string | null {
  if (target === 'sqlite3')
    return file === 'lib/storage/sqlite/engine/binding.ts' ? null : 'only the binding may know sqlite3';
  if (!target.startsWith('lib/') && !target.startsWith('bin/')) return null;
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to || GROUND.includes(to)) return null;
  // Settings have one home; a type costs no dependency at run time.
  if (typeOnly && target === SETTINGS) return null;
  if (!MAY[from]) return `the room ${from} is not known to this test`;
  const allowed = MAY[from].some(
    (room) => room === to || (room.endsWith('/*') && `${to}/`.startsWith(room.slice(0, -1))),
  );
  if (!allowed) return `${from} may not look into ${to}`;
  const engine = from.startsWith('lib/storage') && !to.startsWith('lib/storage');
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

  test('have no circle of imports, types included', () => {
    assert.deepEqual(circlesOf(imports), []);
  });

  test('are each of a size that can be looked over', () => {
    const files = ['lib', 'bin'].flatMap(sources);
    const folders = new Map<string, number>();
    for (const file of files) folders.set(path.dirname(file), (folders.get(path.dirname(file)) ?? 0) + 1);
    const large = [...folders].filter(([, count]) => count > 16);
    assert.deepEqual(large, [], 'a folder of more than about a dozen files is two');
    const long = files.filter((file) => fs.readFileSync(path.join(ROOT, file), 'utf8').split('\n').length > 301);
    assert.deepEqual(long, [], 'a file of more than 300 lines is two');
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

  test('only stores.ts picks an engine; server.ts hands on what works on files; lock.ts needs a file that can be locked', () => {
    const pickers = imports.filter(
      ({ file, target }) => /^lib\/storage\//.test(target) && !/^lib\/storage\//.test(file),
    );
    assert.deepEqual([...new Set(pickers.map(({ file }) => file))].sort(), [
      'lib/lock.ts',
      'lib/server.ts',
      'lib/stores.ts',
    ]);
  });

  test('asyncrpc names no hash and no PR', () => {
    for (const file of sources('lib/asyncrpc')) {
      const code = fs.readFileSync(path.join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      assert.doesNotMatch(code, /taskhash|outhash|pkgarch|checksum/, file);
    }
  });

  test('docs/architecture.md and its drawing name files and folders that are there', () => {
    const page = ['docs/architecture.md', 'docs/architecture.svg']
      .map((file) => fs.readFileSync(path.join(ROOT, file), 'utf8'))
      .join('');
    const named = new Set([...page.matchAll(/\blib\/[\w/.-]*[\w/]/g)].map(([name]) => name));
    assert.ok(named.size > 40, 'names are found');
    // A folder is named with a slash behind it; without one statSync takes either.
    const missing = [...named].filter((name) => !fs.statSync(path.join(ROOT, name), { throwIfNoEntry: false }));
    assert.deepEqual(missing, [], 'the page must follow the code');
  });

  test('a breach would be found', () => {
    const wrong: readonly (readonly [file: string, source: string])[] = [
      ['lib/asyncrpc/connection/connection.ts', "import { decidePr } from '../../prserv/get-pr.ts';"],
      ['lib/asyncrpc/wire/lines.ts', "import type { Hub } from '../server/hub.ts';"],
      ['lib/asyncrpc/transport/listen.ts', "import { createHub } from '../server/hub.ts';"],
      ['lib/hashserv/commands/report.ts', "import type { PrStore } from '../../prserv/store.ts';"],
      ['lib/hashserv/access/session.ts', "import { HASH_COMMANDS } from '../commands/table.ts';"],
      ['lib/prserv/commands/table.ts', "import {\n  READ,\n  type X,\n} from '../../hashserv/access/permissions.ts';"],
      [
        'lib/hashserv/commands/report.ts',
        "const { createHashStore } = await import('../../storage/sqlite/hash/store.ts');",
      ],
      ['lib/storage/sqlite/hash/store.ts', "import sqlite3 from 'sqlite3';"],
      ['lib/storage/sqlite/hash/store.ts', "import { createHashService } from '../../../hashserv/service.ts';"],
      ['lib/storage/sqlite/engine/writer.ts', "import { openDatabase } from '../file/open.ts';"],
      ['lib/storage/sqlite/file/open.ts', "import { resolveConfig } from '../../../settings/config.ts';"],
      ['lib/cli/commands/serve.ts', "export * from '../../storage/sqlite/file/open.ts';"],
      ['bin/bakeserv.ts', "import '../lib/server.ts';"],
      ['lib/errors.ts', "import type { Logger } from './asyncrpc/server/hub.ts';"],
    ];
    for (const [file, source] of wrong)
      assert.ok(
        importsOf(file, source).some((each) => breach(each)),
        source,
      );
  });
});
