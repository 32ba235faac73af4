import type { StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { TableCounts } from '../../../meter/row-counts.ts';
import type { StoreFigures } from '../../../meter/store-figures.ts';
import type { SyncMode } from '../../../settings/config.ts';
import type { Binding } from './binding.ts';
import type { CheckOptions } from './quick-check.ts';
import type { Writer } from './writer.ts';

/** How a store opens its file. */
export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** With readOnly: nobody writes to the file while it is open. It is then read without locks, and not watched. */
  readonly immutable?: boolean;
  /** Accept an existing file of zero bytes as a new database. */
  readonly init: boolean;
  /** Another process of the same server has it open, and has checked it: it is not checked again. */
  readonly joinsOthers?: boolean;
  readonly syncMode: SyncMode;
  /** A look-up or a write longer than this is interrupted; 5 s if absent. */
  readonly statementTimeoutMs?: number;
  /** A connection that finds the file locked at every write for this long is opened again; 15 s if absent. */
  readonly reopenAfterMs?: number;
  /** How the file is checked after a crash; CHECK_DEFAULTS if absent. */
  readonly check?: Partial<CheckOptions>;
  readonly log: Logger;
  /** The database can no longer be trusted or written: the server must exit with status 3. Called at most once. */
  readonly onFatal: (error: StorageError) => void;
}

/** The tables a service keeps in a file. */
export interface Schema {
  /** What to call it in an error: `hash equivalence` or `PR`. */
  readonly name: string;
  /** A read-only server needs these to exist. */
  readonly tables: readonly string[];
  /** Any of these says that the service was kept in a file before, maybe by an older server. */
  readonly signs: readonly string[];
  /** Creates and migrates; runs inside a transaction that holds the write lock. */
  migrate(connection: Binding, log: Logger): Promise<void>;
  /** Per-connection set-up of the writer that leaves nothing in the file: temporary views and triggers. */
  prepareWriter?(connection: Binding): Promise<void>;
}

/** The tables that a connection sees. */
export async function tableNames(connection: Binding): Promise<ReadonlySet<string>> {
  const rows = await connection.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
  return new Set(rows.map(({ name }) => name));
}

export async function holdsSchema(connection: Binding, { signs }: Schema): Promise<boolean> {
  const found = await tableNames(connection);
  return signs.some((name) => found.has(name));
}

/**
 * An open SQLite file: one writer, two readers, one connection for maintenance and checkpoints, and after a crash one
 * that checks it (a thread of the pool for each: bin/launch.cts). Both services may share one, so that they share its
 * writer.
 */
export interface Database {
  readonly file: string;
  readonly readOnly: boolean;
  /** What is counted of its writing. */
  readonly figures: StoreFigures;
  /** The rows of its schemas' tables. */
  readonly counts: TableCounts;
  /** Group commit; null on a read-only database. */
  readonly writer: Writer | null;
  /** For the look-ups of streams. */
  readonly lookups: Binding;
  /** For every other read. */
  readonly reads: Binding;
  /** For long scans, in pages. */
  readonly maintenance: Binding;
  /** Whether a service was kept in the file when it was opened, or since. */
  holds(schema: Schema): Promise<boolean>;
  /** Adds a service's tables. Throws StorageError when a read-only database lacks them. */
  addSchema(schema: Schema): Promise<void>;
  /** Retries while another program has the whole database locked. */
  read<Row>(connection: Binding, sql: string, params?: readonly (string | number | null)[]): Promise<Row[]>;
  /**
   * One more connection, which only reads: for what takes so long that the others would be held up. Whoever opens it closes
   * it; it is interrupted and closed with the database.
   */
  openReader(): Promise<Binding>;
  /** Rewrites a page unchanged, through to the disk as the sync mode says; does nothing on a read-only database. */
  tryWrite(): Promise<void>;
  /**
   * Called soon after the start, and when a look has found that another process, or another connection than the writer, has
   * committed. Nobody looks while nobody asks: who answers from memory compares `foreignSeenAt` with the clock.
   */
  onForeignCommit(listener: () => void): void;
  /** Every commit of others before this moment, as performance.now() tells it, has been told of. */
  foreignSeenAt(): number;
  /** Looks for commits of others now, unless a look is under way. */
  lookForForeign(): void;
  /** Called when it begins to close: whoever reads by itself stops. */
  onClose(listener: () => void): void;
  /** Drains the writer, checkpoints, closes. After a fatal error the database is left as it is: the process must exit. */
  close(drainMs: number): Promise<void>;
}
