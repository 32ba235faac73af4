import type { CallOptions } from '../asyncrpc/client/abort.ts';
import type { Client } from '../asyncrpc/client/client.ts';
import type { ClientOptions, Login } from '../asyncrpc/client/options.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import type { FoundTasks } from './find-tasks.ts';
import type { RequestFigures } from './stats.ts';
import type { RowValues } from './store.ts';
import type { Table } from './where.ts';

export interface TaskKey {
  readonly method: string;
  readonly taskhash: string;
}

export interface TaskUnihash extends TaskKey {
  readonly unihash: string;
}

/** A row of outhashes joined with its unihash, as a server shows it. */
export type HashRecord = { [column: string]: Json };

export interface ReportFields {
  readonly taskhash: string;
  readonly method: string;
  readonly outhash: string;
  readonly unihash: string;
  readonly owner?: string;
  readonly PN?: string;
  readonly PV?: string;
  readonly PR?: string;
  readonly task?: string;
  readonly outhash_siginfo?: string;
}

/** A user as a server shows it; which fields there are depends on the command. */
export interface UserReply {
  readonly username: string;
  readonly permissions?: readonly string[];
  readonly token?: string;
}

export interface GcStatusReply {
  readonly keep: number;
  readonly remove: number;
  readonly mark: string | null;
}

export interface HashClientOptions extends Omit<ClientOptions, 'protocol' | 'onConnect' | 'resendable'> {
  /** To log in with, on every connection that is made. */
  readonly login?: Login | undefined;
  /** The user to act as, after the login. */
  readonly become?: string | undefined;
}

/** How long requests took, in seconds; a server with an upstream tells of that too. */
export interface StatsReply {
  readonly requests: RequestFigures;
  readonly [more: string]: unknown;
}

export type DatabaseUsage = { [table: string]: { rows: number } };

export interface RowCounts {
  readonly unihashes: number;
  readonly outhashes: number;
}

/** Rows of a table in the order they were stored. */
export interface RowPage {
  readonly rows: readonly RowValues[];
  /** The names of the values, in their order. */
  readonly columns: readonly string[];
  /** Where the next page begins; null when there are no more. */
  readonly next: number | null;
}

export interface ImportReply {
  readonly stored: number;
  /** Rows that were there already. */
  readonly present: number;
  /** Rows that cannot be stored, by their place in the request. */
  readonly refused: readonly { readonly row: number; readonly message: string }[];
}

export interface RowOptions extends CallOptions {
  /** Unihash rows have their gc mark at the end; otherwise new ones get the current mark. */
  readonly marks?: boolean | undefined;
}

export interface CompareReply extends ImportReply {
  /** For each row that was not refused: null where there is none, otherwise the columns that differ. */
  readonly found: readonly (readonly string[] | null)[];
}

export type WhereSource = Iterable<WhereColumns> | AsyncIterable<WhereColumns>;

/** Column and value of the rows meant; null values do not count. */
export type WhereColumns = { readonly [column: string]: string | null };

/**
 * Every command of a hash equivalence server (docs/protocol.md), typed. A miss is null. Methods throw InvokeError
 * when the server refuses, AddressError when it cannot be reached, and the reason of the signal where one is given.
 */
export interface HashClient extends Client {
  ping(options?: CallOptions): Promise<void>;
  get(method: string, taskhash: string, options?: CallOptions): Promise<TaskUnihash | null>;
  /** The oldest outhash row of the task, joined with its unihash. */
  getAll(method: string, taskhash: string, options?: CallOptions): Promise<HashRecord | null>;
  getOuthash(
    method: string,
    outhash: string,
    taskhash: string,
    withUnihash?: boolean,
    options?: CallOptions,
  ): Promise<HashRecord | null>;
  /**
   * The unihash of each task, or null; in the same order.
   * @throws InvokeError for a method or taskhash that is not a single word: no build has one
   */
  getUnihashes(tasks: readonly TaskKey[], options?: CallOptions): Promise<(string | null)[]>;
  unihashesExist(unihashes: readonly string[], options?: CallOptions): Promise<boolean[]>;
  report(fields: ReportFields, options?: CallOptions): Promise<TaskUnihash>;
  reportEquivalent(fields: TaskUnihash, options?: CallOptions): Promise<TaskUnihash | null>;
  stats(options?: CallOptions): Promise<StatsReply>;
  /** Resolves to the figures before the reset. */
  resetStats(options?: CallOptions): Promise<StatsReply>;
  backfillWait(options?: CallOptions): Promise<number>;
  remove(where: WhereColumns, options?: CallOptions): Promise<number>;
  gcMark(mark: string, where: WhereColumns, options?: CallOptions): Promise<number>;
  /** Marks what each where names; yields how many rows that were. In bounded memory, whatever their number. */
  gcMarkAll(mark: string, wheres: WhereSource, options?: CallOptions): AsyncGenerator<number, void, undefined>;
  gcStatus(options?: CallOptions): Promise<GcStatusReply>;
  /** Deletes what was not marked. `most`: a bakeserv refuses when that would be more rows, as when gcStatus was asked. */
  gcSweep(mark: string, most?: number, options?: CallOptions): Promise<number>;
  cleanUnused(maxAgeSeconds: number, options?: CallOptions): Promise<number>;
  databaseUsage(options?: CallOptions): Promise<DatabaseUsage>;
  queryColumns(options?: CallOptions): Promise<string[]>;
  getUser(username?: string, options?: CallOptions): Promise<UserReply | null>;
  allUsers(options?: CallOptions): Promise<UserReply[]>;
  newUser(username: string, permissions: readonly string[], options?: CallOptions): Promise<UserReply>;
  setUserPermissions(username: string, permissions: readonly string[], options?: CallOptions): Promise<UserReply>;
  deleteUser(username?: string, options?: CallOptions): Promise<UserReply>;
  refreshToken(username?: string, options?: CallOptions): Promise<UserReply>;

  // Added to the protocol by bakeserv (docs/protocol.md): other servers do not know them.
  /** How many rows of each table a remove would take. */
  countRows(where: WhereColumns, options?: CallOptions): Promise<RowCounts>;
  /** How many unihash rows each where names; changes nothing. */
  countAll(wheres: WhereSource, options?: CallOptions): AsyncGenerator<number, void, undefined>;
  /** Rows of a table in the order they were stored, from after the id given. */
  exportRows(table: Table, after: number, limit?: number, options?: RowOptions): Promise<RowPage>;
  /** What is known of a hash, or of a recipe, whose name may begin and end with `*`. */
  findTask(text: string, limit?: number, options?: CallOptions): Promise<FoundTasks>;
  /** Stores rows; those that are there stay as they are. */
  importRows(table: Table, rows: readonly RowValues[], options?: RowOptions): Promise<ImportReply>;
  /** Stores nothing, and tells what is stored under the keys of rows with their marks. */
  compareRows(table: Table, rows: readonly RowValues[], options?: CallOptions): Promise<CompareReply>;
}

export type { Login };
