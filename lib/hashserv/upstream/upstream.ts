import type { UpstreamLink } from '../../asyncrpc/upstream/link.ts';
import { isHash, isLongText, isUnihash } from '../../asyncrpc/wire/formats.ts';
import { OUTHASH_COLUMNS_OF_ROW, type OuthashRow, type TaskLine } from '../store.ts';
import { createShortMemory } from './short-memory.ts';

/**
 * What another hash equivalence server knows. Every answer is checked before it is used; one that is wrong, late or
 * absent is a miss. This file decides what a dead upstream means: nothing, for anybody.
 */
export interface HashUpstream {
  unihashes(tasks: readonly TaskLine[]): Promise<readonly (string | null)[]>;
  /** The unihash of one task: unlike a stream's line, the answer says which task it is for. */
  unihash(method: string, taskhash: string): Promise<string | null>;
  unihashesExist(unihashes: readonly string[]): Promise<readonly boolean[]>;
  /** The oldest outhash row of the task joined with its unihash. */
  task(method: string, taskhash: string): Promise<OuthashRow | null>;
  /** The oldest outhash row of the output. */
  outhash(query: OuthashLookup): Promise<OuthashRow | null>;
  /** The unihash the upstream has for each output, or null: for reports, which wait longer for it than look-ups do. */
  unihashesOfOutputs(queries: readonly Omit<OuthashLookup, 'withUnihash'>[]): Promise<readonly (string | null)[]>;
  /** The task was stored or removed here: what the upstream said about it must not be used any more. */
  forget(task: TaskLine): void;
  forgetAll(): void;
  figures(): { [key: string]: string | number };
  close(): void;
}

export interface OuthashLookup {
  readonly method: string;
  readonly outhash: string;
  readonly taskhash: string;
  readonly withUnihash: boolean;
}

/** How long storing a hit may take: until then, others who ask for it need not ask the upstream again. */
const HIT_TTL_MS = 2000;

/**
 * @param missTtlMs how long a miss is remembered; 0 remembers none, so that a report to the upstream is seen at once
 */
export function createHashUpstream(link: UpstreamLink, missTtlMs: number): HashUpstream {
  const misses = createShortMemory<true>(missTtlMs);
  const hits = createShortMemory<string>(HIT_TTL_MS);
  const getStream = link.stream('get-stream', (line) => line === '' || isUnihash(line));
  const existsStream = link.stream('exists-stream', (line) => line === 'true' || line === 'false');

  async function rows(
    ask: UpstreamLink['messages'],
    requests: readonly { command: string; args: { [key: string]: string | boolean } }[],
    isRight: (row: OuthashRow, i: number) => boolean,
  ): Promise<(OuthashRow | null)[]> {
    const replies = await ask(requests);
    return replies.map((reply, i) => {
      if (!reply || reply.value === null) return null;
      const row = toRow(reply.value);
      if (row && isRight(row, i)) return row;
      link.distrust(`${requests[i]!.command}: ${JSON.stringify(reply.value).slice(0, 80)}`);
      return null;
    });
  }

  function outhashRows(
    ask: UpstreamLink['messages'],
    queries: readonly OuthashLookup[],
  ): Promise<(OuthashRow | null)[]> {
    const requests = queries.map(({ method, outhash, taskhash, withUnihash }) => ({
      command: 'get-outhash',
      args: { method, outhash, taskhash, with_unihash: withUnihash },
    }));
    return rows(ask, requests, (row, i) => {
      const { method, outhash, withUnihash } = queries[i]!;
      return row.method === method && row.outhash === outhash && (!withUnihash || isUnihash(String(row.unihash)));
    });
  }

  return {
    async unihashes(tasks) {
      const known = tasks.map((task) => hits.get(task) ?? (misses.get(task) ? null : undefined));
      const asked = tasks.filter((_, i) => known[i] === undefined);
      if (asked.length === 0) return known as (string | null)[];
      const answers = await getStream(asked, (answer, i) => {
        if (answer === '') misses.set(asked[i]!, true);
        else if (answer !== null) hits.set(asked[i]!, answer);
      });
      let next = 0;
      return known.map((unihash) => (unihash === undefined ? answers[next++] || null : unihash));
    },
    async unihash(method, taskhash) {
      const task = `${method} ${taskhash}`;
      if (misses.get(task)) return null;
      const [reply] = await link.messages([{ command: 'get', args: { method, taskhash } }]);
      if (!reply) return null;
      if (reply.value === null) {
        misses.set(task, true);
        return null;
      }
      const said = reply.value as { method?: unknown; taskhash?: unknown; unihash?: unknown };
      const isRight = said.method === method && said.taskhash === taskhash;
      if (isRight && typeof said.unihash === 'string' && isUnihash(said.unihash)) return said.unihash;
      link.distrust(`get: ${JSON.stringify(reply.value).slice(0, 80)}`);
      return null;
    },
    async unihashesExist(unihashes) {
      const answers = await existsStream(unihashes);
      return answers.map((answer) => answer === 'true');
    },
    async task(method, taskhash) {
      const request = { command: 'get', args: { method, taskhash, all: true } };
      const isRight = (row: OuthashRow) =>
        row.method === method && row.taskhash === taskhash && isUnihash(String(row.unihash));
      return (await rows(link.messages, [request], isRight))[0]!;
    },
    outhash: async (query) => (await outhashRows(link.messages, [query]))[0]!,
    async unihashesOfOutputs(queries) {
      // There is no second chance after a miss: the unihash that is then stored stays forever.
      const found = await outhashRows(
        link.patiently,
        queries.map((query) => ({ ...query, withUnihash: true })),
      );
      return found.map((row) => (row ? String(row.unihash) : null));
    },
    forget(task) {
      misses.delete(task);
      hits.delete(task);
    },
    forgetAll() {
      misses.clear();
      hits.clear();
    },
    figures: () => ({ ...link.figures() }),
    close: () => link.close(),
  };
}

/** A reply as an outhash row: known columns only, each a text or null. Null if it is not a row. */
function toRow(value: unknown): OuthashRow | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id } = value as Record<string, unknown>;
  const row: OuthashRow = typeof id === 'number' ? { id } : {};
  for (const column of OUTHASH_COLUMNS_OF_ROW) {
    const field = (value as Record<string, unknown>)[column];
    if (field === undefined || field === null) row[column] = null;
    else if (typeof field === 'string' && isLongText(field)) row[column] = field;
    else return null;
  }
  const keys = [row.method, row.taskhash, row.outhash];
  if (!keys.every((key) => typeof key === 'string' && isHash(key))) return null;
  if (!/^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}/.test(String(row.created))) return null;
  return row;
}
