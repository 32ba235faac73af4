import assert from 'node:assert/strict';
import path from 'node:path';
import { SILENT } from '../../lib/log.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import type { Binding } from '../../lib/storage/sqlite/engine/binding.ts';
import type { Database } from '../../lib/storage/sqlite/engine/database.ts';
import type { WriteKind } from '../../lib/storage/sqlite/engine/submissions.ts';
import { openDatabase } from '../../lib/storage/sqlite/file/open.ts';
import { createPrStore } from '../../lib/storage/sqlite/pr/store.ts';
import { type Running, temporaryFolder } from './helpers.ts';

export const PKG = { version: 'pkg-1.0-r0', pkgarch: 'core2-64' };

export interface Opened {
  readonly store: PrStore;
  readonly database: Database;
  readonly file: string;
  /** Characters of what was read of the database, and the statements that read or wrote it: a thread hop each. */
  readonly read: { characters: number; statements: number };
}

/** Opens a store that counts what it reads, and what its writer does in its turn. */
export async function opened(
  t: Running,
  file = path.join(temporaryFolder(t), 'pr.db'),
  readOnly = false,
): Promise<Opened> {
  const onFatal = (error: Error) => assert.fail(error);
  const sync = { kind: 'on_shutdown' } as const;
  const real = await openDatabase({ file, readOnly, init: false, syncMode: sync, log: SILENT, onFatal });
  t.after(() => real.close(1000));
  const read = { characters: 0, statements: 0 };
  const ours = new Map<Binding, Binding>();
  const count = (binding: Binding): Binding => ({
    ...binding,
    async all<Row>(sql: string, params?: readonly (string | number | null)[]) {
      const rows = await binding.all<Row>(sql, params);
      read.characters += JSON.stringify(rows).length;
      read.statements++;
      return rows;
    },
    run(sql: string, params?: readonly (string | number | null)[]) {
      read.statements++;
      return binding.run(sql, params);
    },
  });
  // The same for the same connection: the store knows the one it has looked at by what it is.
  const counted = (binding: Binding) => {
    if (!ours.has(binding)) ours.set(binding, count(binding));
    return ours.get(binding)!;
  };
  const countKind = ({ apply, applyAlone }: WriteKind<unknown, unknown>): WriteKind<unknown, unknown> => ({
    apply: (on, all) => apply(counted(on), all),
    ...(applyAlone && { applyAlone: (on, all) => applyAlone(counted(on), all) }),
  });
  /** The same for the same kind: the writer puts those of one kind together. */
  const kinds = new Map<unknown, WriteKind<unknown, unknown>>();
  const database: Database = {
    ...real,
    reads: counted(real.reads),
    writer: real.writer && {
      ...real.writer,
      submit: (kind, ops, bytes) => {
        if (!kinds.has(kind)) kinds.set(kind, countKind(kind as WriteKind<unknown, unknown>));
        return real.writer!.submit(kinds.get(kind) as typeof kind, ops, bytes);
      },
    },
  };
  return { store: await createPrStore(database, SILENT), database, file, read };
}
