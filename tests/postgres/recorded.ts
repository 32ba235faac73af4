import assert from 'node:assert/strict';
import { SILENT } from '../../lib/log.ts';
import { openPostgres } from '../../lib/storage/postgres/engine/database.ts';
import { HASH_SCHEMA } from '../../lib/storage/postgres/hash/schema.ts';
import { createHashStore } from '../../lib/storage/postgres/hash/store.ts';
import { PR_SCHEMA } from '../../lib/storage/postgres/pr/schema.ts';
import { createPrStore } from '../../lib/storage/postgres/pr/store.ts';
import { METHOD } from '../helpers.ts';
import { askUntil } from './clients.ts';
import { type History, newHistory } from './history.ts';

/** Of each server. */
export const CLIENTS = 8;

/** Both stores, as a server has them. */
export async function openServer(address: string, isolation?: string) {
  const database = await openPostgres({
    address,
    readOnly: false,
    schemas: [HASH_SCHEMA, PR_SCHEMA],
    log: SILENT,
    ...(isolation && { isolation }),
  });
  return { database, hash: await createHashStore(database, 8 << 20), pr: createPrStore(database, SILENT) };
}

export type OpenServer = Awaited<ReturnType<typeof openServer>>;

/** While clients ask. */
export interface Recording {
  readonly servers: readonly OpenServer[];
  readonly history: History;
  /** Resolves when so many more are answered. */
  answered(count: number): Promise<void>;
}

/** Has 8 clients ask each server until `meanwhile` is done, and then `afterwards` look at what was answered. */
export async function record(
  addresses: readonly string[],
  meanwhile: (recording: Recording) => Promise<void>,
  afterwards: (recording: Recording) => Promise<void> = allIsFound,
  isolation?: string,
): Promise<History> {
  const servers = await Promise.all(addresses.map((address) => openServer(address, isolation)));
  const history = newHistory();
  let over = false;
  const clients = servers.flatMap((asked, i) =>
    Array.from({ length: CLIENTS }, (_, n) => askUntil(() => over, asked, i * CLIENTS + n + 1, history)),
  );
  const answered = async (count: number) => {
    const total = () => history.prs.length + history.reports.length;
    for (const wanted = total() + count; total() < wanted; ) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const recording = { servers, history, answered };
  try {
    try {
      await meanwhile(recording);
    } finally {
      over = true;
      await Promise.all(clients);
    }
    await afterwards(recording);
    return history;
  } finally {
    await Promise.all(servers.map(({ database }) => database.close()));
  }
}

/** Every server knows every answered write. */
export async function allIsFound({ servers, history }: Pick<Recording, 'servers' | 'history'>): Promise<void> {
  for (const server of servers) assert.deepEqual(await missingIn(server, history), { reports: [], prs: [] });
}

/** Answered writes that a server does not know. */
export async function missingIn({ hash, pr }: OpenServer, history: Pick<History, 'reports' | 'prs'>) {
  const missing = { reports: [] as (typeof history.reports)[number][], prs: [] as (typeof history.prs)[number][] };
  for (let at = 0; at < history.reports.length; at += 200) {
    const calls = history.reports.slice(at, at + 200);
    const found = await hash.unihashes(calls.map(({ taskhash }) => `${METHOD} ${taskhash}`));
    missing.reports.push(...calls.filter(({ unihash }, i) => found[i] !== unihash));
  }
  // Few at a time: a look-up has 5 s, and these wait for each other.
  for (let at = 0; at < history.prs.length; at += 20) {
    const calls = history.prs.slice(at, at + 20);
    const found = await Promise.all(
      calls.map(({ package: version, checksum, value }) => pr.countRows({ version, pkgarch: 'all', checksum, value })),
    );
    missing.prs.push(...calls.filter((_, i) => found[i] !== 1));
  }
  return missing;
}
