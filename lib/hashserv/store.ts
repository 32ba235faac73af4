import type { LineScanner } from '../asyncrpc/service.ts';
import type { CacheState } from '../meter/store-figures.ts';
import { ALL, USER_ADMIN } from './access/permissions.ts';
import type { FoundTasks, TaskSearch } from './find-tasks.ts';
import type { HashInsightRows } from './insight-rows.ts';
import type { QueryColumn, Table, Where } from './where.ts';

/** What a report says about one task's output; `created` is ISO 8601 UTC with microseconds. */
export interface Report {
  readonly method: string;
  readonly taskhash: string;
  readonly outhash: string;
  /** The unihash the client proposes. */
  readonly unihash: string;
  readonly created: string;
  readonly owner: string | null;
  readonly PN: string | null;
  readonly PV: string | null;
  readonly PR: string | null;
  readonly task: string | null;
  readonly outhash_siginfo: string | null;
  /** What the upstream has for this output: preferred to the proposal, but not to what is known here. */
  readonly upstreamUnihash?: string | null;
}

export interface Equivalence {
  readonly method: string;
  readonly taskhash: string;
  readonly unihash: string;
}

/** The columns of an outhash row on the wire, after its id; then those of the unihash row it is joined with. */
export const OUTHASH_COLUMNS_OF_ROW = [
  'method',
  'taskhash',
  'outhash',
  'created',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
  'unihash',
] as const;

/** A row on the wire: the outhash row and, if joined, its unihash row's `unihash` and `gc_mark`. */
export type OuthashRow = { [column: string]: string | number | null };

export interface OuthashQuery {
  readonly method: string;
  readonly outhash: string;
  /** Only rows whose taskhash has a unihash, joined with it. */
  readonly withUnihash: boolean;
}

/** Either permission is enough to manage users: somebody always has one. */
export const MANAGE_USERS: readonly string[] = [ALL, USER_ADMIN];

export interface User {
  /** Never reused: a user deleted and created again is another user. */
  readonly id: number;
  readonly username: string;
  /** `sha256:<salt hex>:<digest hex>` */
  readonly token: string;
  /** As stored: sorted, joined by blanks. */
  readonly permissions: string;
}

export interface GcStatus {
  readonly mark: string | null;
  readonly keep: number;
  readonly remove: number;
}

/** What is done to all rows that meet a condition. */
export type GcTask =
  /** Deletes the rows of a table that match. */
  | { readonly kind: 'remove'; readonly table: Table; readonly where: Where }
  /** Stamps the unihash rows that match. */
  | { readonly kind: 'mark'; readonly mark: string; readonly where: Where }
  /** Deletes the unihash rows with another mark. */
  | { readonly kind: 'sweep'; readonly mark: string }
  /** Deletes the outhash rows created before that time whose taskhash has no unihash. */
  | { readonly kind: 'clean-unused'; readonly before: string };

/** The ids of the rows that one step of a long search found, and where the next step starts (null at the end). */
export interface FoundRows {
  readonly ids: readonly number[];
  readonly next: number | null;
}

/** A row of the table `config`, in which BitBake's server has `gc-mark`. */
export type NoteName = `${typeof NOTE_PREFIX}${string}`;
/** Notes say which database this is, and how far it has read others: a copy of it is another one. */
export const NOTE_PREFIX = 'bakeserv-';
/** What tells this database from all others, wherever it is. */
export const ID_NOTE: NoteName = 'bakeserv-id';

/** What a comparison with the shared state found last. */
export const SHARED_STATE_NOTE: NoteName = 'bakeserv-shared-state';

/** Notes of how far a source was read. */
export const PLACE_PREFIX = `${NOTE_PREFIX}pull-`;
/** So many of those stay, the last that were set: sources come and go, as each stage is one. What is gone is read from its beginning. */
export const KEPT_PLACES = 1000;

/** A row's values in the order of ROW_COLUMNS. */
export type RowValues = readonly (string | null)[];

/** Rows of a table in the order they were stored. */
export interface RowPage {
  readonly rows: readonly RowValues[];
  /** Where the next page starts; null when there are no more. */
  readonly next: number | null;
}

/** Which rows are looked for: those of unihashes, of tasks, or the reports of recipes. At most MAX_FOUND_KEYS at once. */
export type RowSearch =
  | { readonly table: 'unihashes'; readonly by: 'unihash'; readonly keys: readonly string[] }
  | {
      readonly table: Table;
      readonly by: 'task';
      readonly keys: readonly (readonly [method: string, taskhash: string])[];
    }
  | { readonly table: 'outhashes'; readonly by: 'PN'; readonly keys: readonly string[] };

export interface SearchLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Rows come without their outhash_siginfo, which may be long. */
  readonly brief: boolean;
}

/** Rows that were found. */
export interface FoundPage {
  readonly rows: readonly RowValues[];
  /** Where to go on with the same search; null at the end. There may be no rows, and a next page all the same. */
  readonly next: string | null;
}

/** A method and a taskhash without blanks, joined by one blank: a line of get-stream. */
export type TaskLine = string;

/**
 * How much of the unihashes is in memory: all rows, the newest that there is room for, or it is being found out; none where
 * there is no room for any.
 */
export interface Loading {
  readonly state: 'loading' | 'checking' | 'all' | 'newest' | 'none';
  readonly rows: number;
  /** How far the reading has come that fills the memory, from 0 to 1. */
  readonly share: number;
}

/**
 * Where hash equivalence is stored. Methods take batches, so that an engine pays its round trip once for many clients.
 *
 * Promises of every engine: a write is on disk (as the durability mode says) when its promise resolves; a report is one
 * transaction; a taskhash keeps its first unihash until it is removed, even with several servers on one database;
 * a read sees every write that had resolved when it was called. A miss is null; a failure is a StorageError.
 */
export interface HashStore {
  readonly readOnly: boolean;
  /** The latest `created` among the rows stored last, as it was when the store was opened. */
  readonly newestCreated: string | null;
  /** How much of the unihashes is in memory. */
  readonly loading: Loading;
  /** What is asked of the memory in front of the engine. */
  readonly cache: CacheState;
  /** The unihash of a task if it is in the cache; undefined says nothing. Never touches the disk. */
  knownUnihash(task: TaskLine): string | undefined;
  /**
   * What answers lines of get-stream (or of exists-stream) whose answers are in memory.
   * @param misses whether a task that is known not to be here is answered too
   */
  knownLines(of: 'tasks' | 'unihashes', misses: boolean): LineScanner | null;
  /** The unihash of each task, or null. */
  unihashes(tasks: readonly TaskLine[]): Promise<readonly (string | null)[]>;
  /** The same for one task, whose method or taskhash may contain blanks. */
  unihash(method: string, taskhash: string): Promise<string | null>;
  /** Whether the cache knows that a task has the unihash; false says nothing. */
  knownToExist(unihash: string): boolean;
  /** Whether any task has the unihash. */
  unihashesExist(unihashes: readonly string[]): Promise<readonly boolean[]>;
  /**
   * The oldest outhash row of each (method, outhash). A row with a long outhash_siginfo comes without that column: a
   * batch of rows is bounded in bytes. Callers that ask for the same row share it: it must not be changed.
   */
  outhashes(queries: readonly OuthashQuery[]): Promise<readonly (OuthashRow | null)[]>;
  /** The oldest outhash row of each (method, taskhash), joined with its unihash; the same holds for these rows. */
  tasks(keys: readonly { method: string; taskhash: string }[]): Promise<readonly (OuthashRow | null)[]>;
  /** The long outhash_siginfo of a row, by its id, in pieces that are read on demand. */
  siginfo(id: number): AsyncIterable<string>;
  /** Applies reports in order by the rule of docs/protocol.md (Reports). Resolves to the unihash then stored, otherwise the proposed one. */
  report(reports: readonly Report[]): Promise<readonly string[]>;
  /** Stores rows of an upstream, each unless its (method, taskhash, outhash) exists. */
  keepOuthashes(rows: readonly OuthashRow[]): Promise<void>;
  /** Stores each unihash unless its taskhash has one. Resolves to the unihash then stored. */
  reportEquivalent(equivalences: readonly Equivalence[]): Promise<readonly string[]>;

  /**
   * One step of a task through a table: looks at about `look` rows with an id above `after`, 0 at first. Going through
   * all of it costs the same per row, however many there are, and blocks nobody.
   */
  gcFind(task: GcTask, after: number, look: number): Promise<FoundRows>;
  /**
   * Applies a task to the found rows that still meet its condition, in one transaction. Resolves to how many those were.
   * Throws InvokeError when the task's mark is no longer the current one.
   */
  gcApply(task: GcTask, ids: readonly number[]): Promise<number>;
  gcStatus(): Promise<GcStatus>;
  /** The current mark, or null; without counting anything. */
  gcMark(): Promise<string | null>;
  /** Makes `mark` the current one: rows stored from now on are stamped with it. */
  gcSetMark(mark: string): Promise<void>;
  /** Sets the mark and stamps what each where matches; each must name a unihash. Counts of rows in the same order. */
  gcMarkKeys(mark: string, wheres: readonly Where[]): Promise<readonly number[]>;
  /** Ends the collection. */
  gcClearMark(mark: string): Promise<void>;
  /**
   * What insights read, on a connection of its own. Whoever opens it closes it.
   * @param signal aborted when what is read is no longer wanted
   * @param sliceRows how many rows are gone through at a time; only a test says
   */
  openInsightRows(signal: AbortSignal, sliceRows?: number): Promise<HashInsightRows>;
  /** Rows of each table. */
  usage(): Promise<ReadonlyMap<string, number>>;

  /** How many rows of a table match. */
  countRows(table: Table, where: Where): Promise<number>;
  /** How many unihash rows each where matches; each must name a unihash. */
  countKeys(wheres: readonly Where[]): Promise<readonly number[]>;
  /**
   * Up to `limit` rows with an id above `after`, and about `maxBytes` of them, but at least one if there is one.
   * @param marked with MARKED_COLUMNS
   */
  exportRows(table: Table, after: number, limit: number, maxBytes: number, marked?: boolean): Promise<RowPage>;
  /**
   * `limit` unihash rows with an id above `after`, each with the report of its task that was stored first, as the JSON text of a
   * list of TaskRow: nothing of it is made an object here. Long names are cut.
   */
  exportTasks(after: number, limit: number): Promise<{ readonly rows: string; readonly next: number | null }>;
  /**
   * A page of the rows that are looked for. By unihash or task it costs what is found. There is no index of recipes: of those
   * each page looks at some thousand reports, however few it finds.
   * @param after the `next` of the page before; null for the first
   * @throws InvokeError for one that no page has given
   */
  findRows(search: RowSearch, after: string | null, limits: SearchLimits): Promise<FoundPage>;
  /**
   * What is known of a hash or a recipe, up to `limit` rows of each kind; the newest reports of a recipe.
   * @param isLate whether there is no more time for a recipe, which no index has: what was found by then is answered
   */
  findTasks(search: TaskSearch, limit: number, isLate: () => boolean): Promise<FoundTasks>;
  /**
   * Stores rows in one transaction; existing ones stay as they are. Resolves to how many were new.
   * @param marked they have MARKED_COLUMNS, and keep their gc mark; otherwise they get the current one
   */
  importRows(table: Table, rows: readonly RowValues[], marked?: boolean): Promise<number>;
  /** What is stored under the keys of rows with MARKED_COLUMNS: null for nothing, otherwise the columns that differ. */
  compareRows(table: Table, rows: readonly RowValues[]): Promise<readonly (readonly string[] | null)[]>;
  /** What this server has noted in the database under a name, or null. */
  note(name: NoteName): Promise<string | null>;
  /** Of those that begin with PLACE_PREFIX only the last KEPT_PLACES stay. */
  setNote(name: NoteName, value: string): Promise<void>;
  /** Sets a note that is not there yet. Resolves to what is then there, whoever set it. */
  ensureNote(name: NoteName, value: string): Promise<string>;

  findUser(username: string): Promise<User | null>;
  allUsers(): Promise<readonly User[]>;
  /** False when the name is taken. */
  createUser(username: string, token: string, permissions: string): Promise<boolean>;
  /** Creates the user or replaces token and permissions. */
  upsertUser(username: string, token: string, permissions: string): Promise<void>;
  /**
   * False when there is no such user, as in the methods below. Neither this nor a deletion takes away the last user who may
   * manage users, even when another server does the same at that moment.
   * @throws InvokeError when it would
   */
  setPermissions(username: string, permissions: string): Promise<boolean>;
  setToken(username: string, token: string): Promise<boolean>;
  deleteUser(username: string): Promise<boolean>;
  /** Changes whenever the user table may have changed, here or by another process (then soon after). */
  readonly usersVersion: number;
}

export type { LineScanner, QueryColumn, Table, Where };
