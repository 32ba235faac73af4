import { setTimeout as pause } from 'node:timers/promises';
import { errorText, StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { TableCounts } from '../../../meter/row-counts.ts';
import type { StandbyLag } from '../../../meter/standby-lag.ts';
import { StoreFigures } from '../../../meter/store-figures.ts';
import { parsePostgresAddress } from './address.ts';
import { createCommitProof, READ_COHERENCE } from './coherence.ts';
import { isMissing } from './errors.ts';
import { HOST_STATE, type HostState, StandbyWatch } from './host-state.ts';
import { type ConnectionPool, createPool } from './pool.ts';
import { createRowCounts } from './row-counts.ts';
import { migrate, type PostgresSchema, planMigration, requireTables } from './schema.ts';
import { runTransaction } from './transaction.ts';
import { createWriter, type Writer } from './writer.ts';

export interface PostgresOptions {
  readonly address: string;
  readonly readOnly: boolean;
  readonly schemas: readonly PostgresSchema[];
  readonly log: Logger;
  /** Only a test lowers it. */
  readonly isolation?: string;
}

/** A PostgreSQL database that several servers share. */
export interface PostgresDatabase {
  /** The address without its password. */
  readonly file: string;
  readonly readOnly: boolean;
  /** What is counted of its writing. */
  readonly figures: StoreFigures;
  readonly counts: TableCounts;
  /** For look-ups of clients, which nothing else may delay. */
  readonly lookups: ConnectionPool;
  /** For everything else. */
  readonly reads: ConnectionPool;
  /** A connection for what takes so long that the others would be held up; whoever opens it closes it. */
  openReader(): ConnectionPool;
  /** Null where it is read-only. */
  readonly writer: Writer | null;
  /** How often unihashes were removed, as far as this server knows. */
  readonly generation: number;
  /** A generation was read with something else. */
  heard(generation: number): void;
  /** How far behind its primary the standby is that look-ups go to; null where they go to a primary. */
  readonly lag: StandbyLag | null;
  /** Called when some server has removed unihashes, or the database may have lost some. */
  onGeneration(listener: () => void): void;
  /** Called when some server has changed users. */
  onUsers(listener: () => void): void;
  /** Commits a transaction without effect. */
  tryWrite(): Promise<void>;
  close(): Promise<void>;
}

const LOOKUP_CONNECTIONS = 2;
/** With those for look-ups, 8 a server. */
const OTHER_CONNECTIONS = 6;
const READ_MS = 5000;
/** A slice of a long read; more than it ever takes. */
const LONG_READ_MS = 30_000;
const START_MS = 10_000;
const CLOSE_MS = 1000;
/** How old what is known of removals by other servers may be when nobody asks the database anything. */
const LISTEN_MS = 1000;

/** The statements that opening a database would run; none where all is there. @throws StorageError, ConfigError */
export async function planOf(
  text: string,
  schemas: readonly PostgresSchema[],
  log: Logger,
): Promise<readonly string[]> {
  const address = parsePostgresAddress(text);
  const pool = createPool({ address, max: 1, readMs: READ_MS, log });
  try {
    return await pool.use((session) => planMigration(session, schemas, address.shown), performance.now() + START_MS);
  } finally {
    await pool.close();
  }
}

/**
 * Opens a database: makes the tables that are missing, by one server while others wait.
 * @throws StorageError, ConfigError
 */
export async function openPostgres({
  address: text,
  readOnly,
  schemas,
  log,
  isolation = 'SERIALIZABLE',
}: PostgresOptions): Promise<PostgresDatabase> {
  const address = parsePostgresAddress(text);
  const shared = { address, readMs: READ_MS, log };
  const lookups = createPool({ ...shared, max: LOOKUP_CONNECTIONS });
  const reads = createPool({ ...shared, max: OTHER_CONNECTIONS });
  const proof = createCommitProof();
  const figures = new StoreFigures();
  const listeners = { generation: [] as (() => void)[], users: [] as (() => void)[] };
  let generation = 0;
  let users = 0;
  const inTransaction = { pool: reads, isolation, database: address.shown };

  async function listen(): Promise<void> {
    for (const { name, value } of await reads.read<{ name: string; value: string }>(READ_COHERENCE)) {
      if (name === 'generation') heard(Number(value));
      else if (Number(value) !== users) {
        users = Number(value);
        for (const told of listeners.users) told();
      }
    }
  }

  function heard(now: number): void {
    if (now <= generation) return;
    generation = now;
    for (const told of listeners.generation) told();
  }

  const watch = new StandbyWatch();
  let timeline: number | null = null;
  let tellsState = true;

  /** What kind of host answers look-ups, and whether it is another one that does not have all that the last one had. */
  async function lookAtHost(): Promise<void> {
    if (!tellsState) return;
    const asked = performance.now();
    try {
      const [state] = await lookups.read<HostState>(HOST_STATE);
      watch.saw(state!, asked);
      if (timeline !== null && state!.timeline !== timeline) {
        log.info('the database was promoted or restored: what is in memory is forgotten', { database: address.shown });
        // It may have gone down.
        generation = Number(state!.generation);
        for (const told of [...listeners.generation, ...listeners.users]) told();
      }
      timeline = state!.timeline;
    } catch (error) {
      if (!(error instanceof StorageError) || !isMissing(error.cause)) throw error;
      // Another engine, or a service, that has no such functions.
      tellsState = false;
      log.debug(`the database does not tell what kind of host it is: ${errorText(error)}`);
    }
  }

  const closing = new AbortController();
  async function keepListening(): Promise<void> {
    let away = false;
    while (!closing.signal.aborted) {
      await pause(LISTEN_MS, undefined, { signal: closing.signal, ref: false }).catch(() => {});
      if (closing.signal.aborted) return;
      try {
        await Promise.all([listen(), lookAtHost()]);
        if (away) log.info('the database answers again', { database: address.shown });
        away = false;
      } catch (error) {
        if (!away) log.warn(`the database does not answer, look-ups go on from memory: ${errorText(error)}`);
        away = true;
      }
    }
  }

  const closePools = () => Promise.all([lookups.close(), reads.close()]);
  try {
    if (readOnly) await requireTables(reads, schemas, address.shown);
    else {
      const until = performance.now() + START_MS;
      await runTransaction((session) => migrate(session, schemas, address.shown), {
        ...inTransaction,
        until,
        proof: null,
      });
    }
    await Promise.all([listen(), lookAtHost()]);
  } catch (error) {
    await closePools();
    throw error;
  }
  const writer = readOnly
    ? null
    : createWriter(
        (work, until, given) => runTransaction(work, { ...inTransaction, until, proof: given }),
        proof,
        figures,
      );
  const listening = keepListening();

  return {
    file: address.shown,
    readOnly,
    figures,
    counts: createRowCounts(
      reads,
      schemas.flatMap(({ tables }) => tables),
    ),
    lookups,
    reads,
    openReader: () => createPool({ address, max: 1, readMs: LONG_READ_MS, log }),
    writer,
    get generation() {
      return generation;
    },
    get lag() {
      return watch.lag(performance.now());
    },
    heard,
    onGeneration: (listener) => void listeners.generation.push(listener),
    onUsers: (listener) => void listeners.users.push(listener),
    async tryWrite() {
      await writer?.slice(async () => {});
    },
    async close() {
      closing.abort();
      await writer?.close();
      await listening;
      if (writer) await reads.use((session) => proof.forget(session), performance.now() + CLOSE_MS).catch(() => {});
      await closePools();
    },
  };
}
