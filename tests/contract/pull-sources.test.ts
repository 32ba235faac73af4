import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SILENT } from '../../lib/log.ts';
import { promoteKind } from '../../lib/promote/kind.ts';
import type { PromoteParameters } from '../../lib/promote/parameters.ts';
import { FORMATS, type Format } from '../../lib/prserv/files/formats.ts';
import type { PullParameters } from '../../lib/pull/parameters.ts';
import { openPostgres } from '../../lib/storage/postgres/engine/database.ts';
import { HASH_SCHEMA } from '../../lib/storage/postgres/hash/schema.ts';
import { createHashStore } from '../../lib/storage/postgres/hash/store.ts';
import { PR_SCHEMA } from '../../lib/storage/postgres/pr/schema.ts';
import { createPrStore } from '../../lib/storage/postgres/pr/store.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { openSqliteSource } from '../../lib/storage/sqlite/transfer/source.ts';
import { type PostgresServer, startPostgres } from '../postgres/server.ts';
import { fill } from './copy-helpers.ts';
import { temporaryFolder } from './helpers.ts';
import {
  anyContents,
  anySelection,
  type Contents,
  contentOf,
  openFileTarget,
  type PullTarget,
  runKind,
  runPull,
  writeHashExport,
  writePrExport,
} from './pull-source-helpers.ts';

let server: PostgresServer;
const folder = temporaryFolder({ after });
let made = 0;
const newFolder = () => fs.mkdtempSync(path.join(folder, 'f-'));
const newFile = () => path.join(folder, `${made++}.db`);

before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

async function openPostgresTarget(address: string): Promise<PullTarget> {
  const database = await openPostgres({ address, readOnly: false, schemas: [HASH_SCHEMA, PR_SCHEMA], log: SILENT });
  const hashes = await createHashStore(database, 1 << 20);
  return { database: address, hashes, prs: createPrStore(database, SILENT), close: () => database.close() };
}

const TARGETS = [
  ['SQLite', async () => openFileTarget(newFile())],
  ['PostgreSQL', async () => openPostgresTarget(await server.newDatabase())],
] as const;

/** The same rows in every kind of source: what is pulled of each, one pull after the other. */
async function sourcesOf(contents: Contents, format: Format): Promise<Map<string, PullParameters[]>> {
  const { unihashes, outhashes, values } = contents;
  const both = newFolder();
  await fill(path.join(both, 'hashserv.db'), { unihashes, outhashes }, ['unihashes']);
  await fill(path.join(both, 'prserv.sqlite3'), { values }, ['values']);
  fs.writeFileSync(path.join(both, 'notes.txt'), 'no database');
  const exports = newFolder();
  const hashes = await writeHashExport(path.join(exports, 'hashes.jsonl'), contents);
  const sources = new Map<string, PullParameters[]>([
    ['a file', [{ source: await fill(newFile(), contents) }]],
    ['a folder', [{ source: both }]],
    ['PostgreSQL', [{ source: await fill(await server.newDatabase(), contents) }]],
  ]);
  const file = await writePrExport(exports, format, contents);
  // A file without a row says nothing.
  const parts = [
    ...(unihashes.length + outhashes.length > 0 ? [{ source: hashes, hashes: true }] : []),
    ...(fs.statSync(file).size > 0 ? [{ source: file, prs: true }] : []),
  ];
  sources.set(`exports (${format})`, parts);
  return sources;
}

const anyFormat = fc.constantFrom<Format>(...FORMATS);

/** Recipes of which there are reports and PR values. */
const recipesIn = ({ outhashes, values }: Contents) =>
  ['busybox', 'bash', 'zlib'].filter(
    (name) => outhashes.some((row) => row[5] === name) && values.some(([version]) => version!.startsWith(`${name}-`)),
  );

/** As another program may have made it: nothing can be looked up by unihash. */
async function withoutIndex(file: string): Promise<string> {
  const binding = await openBinding(file, 'write');
  await binding.exec('DROP INDEX unihash_lookup_v1');
  await binding.close();
  const source = await openSqliteSource(file);
  const search = { table: 'unihashes', by: 'unihash', keys: ['a'] } as const;
  assert.equal(await source.findRows(search, null, { rows: 1, bytes: 1, brief: true }), null);
  await source.close();
  return file;
}

test('a promotion brings the same, whichever kind of source has it', async () => {
  await fc.assert(
    fc.asyncProperty(anyContents, anyFormat, async (contents, format) => {
      const packages = recipesIn(contents).slice(0, 2);
      fc.pre(packages.length > 0);
      const found = new Map<string, Record<string, string[]>>();
      const kinds = await sourcesOf(contents, format);
      kinds.set('a file without its index', [{ source: await withoutIndex(await fill(newFile(), contents)) }]);
      for (const [kind, sources] of kinds) {
        const target = await openFileTarget(newFile());
        try {
          for (const each of sources)
            await runKind(target, (parts) => promoteKind(parts, () => {}), {
              ...each,
              packages,
              on_conflict: 'keep',
            } as PromoteParameters);
          found.set(kind, await contentOf(target));
        } finally {
          await target.close();
        }
      }
      const [first, ...others] = [...found];
      assert.ok(first![1].values!.length > 0);
      for (const [kind, content] of others) assert.deepEqual(content, first![1], `${kind} and ${first![0]}`);
    }),
    { numRuns: 3, endOnFailure: true, includeErrorInReport: true },
  );
});

for (const [engine, openTarget] of TARGETS)
  describe(`a pull into ${engine}`, () => {
    test('brings the same, whichever kind of source has it', async () => {
      await fc.assert(
        fc.asyncProperty(anyContents, anySelection, anyFormat, async (contents, selection, format) => {
          const found = new Map<string, Record<string, string[]>>();
          for (const [kind, pulls] of await sourcesOf(contents, format)) {
            const target = await openTarget();
            try {
              // One value of a package may be two checksums' in random rows.
              for (const each of pulls) await runPull(target, { ...selection, on_conflict: 'keep', ...each });
              found.set(kind, await contentOf(target));
            } finally {
              await target.close();
            }
          }
          const [first, ...others] = [...found];
          for (const [kind, content] of others) assert.deepEqual(content, first![1], `${kind} and ${first![0]}`);
          if (Object.keys(selection).length === 0) {
            const good = contents.unihashes.filter((row) => row[2] !== 'no unihash');
            assert.equal(first![1].unihashes!.length, good.length);
            assert.equal(first![1].outhashes!.length, contents.outhashes.length);
            assert.equal(first![1].values!.length, contents.values.length);
          }
        }),
        { numRuns: engine === 'SQLite' ? 4 : 2, endOnFailure: true, includeErrorInReport: true },
      );
    });
  });
