import { ClosedWithoutWord } from '../asyncrpc/client/channel.ts';
import { type Client, connectClient } from '../asyncrpc/client/client.ts';
import type { ClientOptions } from '../asyncrpc/client/options.ts';
import type { Address } from '../asyncrpc/transport/address.ts';
import { encodeJson, type Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { RequestFigures } from './stats.ts';
import type { RowValues, RowPage as StoredPage } from './store.ts';
import { ROW_COLUMNS, type Table } from './where.ts';

export const HASH_PROTOCOL = 'OEHASHEQUIV 1.1';

export interface TaskUnihash {
  readonly taskhash: string;
  readonly method: string;
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

/** What a server says of a user; which fields there are depends on the command. */
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
  readonly login?: { readonly username: string; readonly token: string } | undefined;
  /** The user to act as, after the login. */
  readonly become?: string | undefined;
}

/**
 * Commands that may be sent twice: they read, or doing them again changes nothing and answers the same. Not among them:
 * what answers how much it removed, what makes a user or a token, and reset-stats.
 */
export const RESENDABLE_HASH_COMMANDS: ReadonlySet<string> = new Set([
  'ping',
  'get',
  'get-outhash',
  'get-stream',
  'exists-stream',
  'report',
  'report-equiv',
  'get-stats',
  'backfill-wait',
  'gc-mark',
  'gc-mark-stream',
  'gc-status',
  'get-db-usage',
  'get-db-query-columns',
  'get-user',
  'get-all-users',
  'set-user-perms',
  'count-rows',
  'count-stream',
  'export-rows',
  'import-rows',
]);

/** How long requests took, in seconds; a server with an upstream tells of that too. */
export interface StatsReply {
  readonly requests: RequestFigures;
  readonly [more: string]: unknown;
}

export interface RowCounts {
  readonly unihashes: number;
  readonly outhashes: number;
}

export interface RowPage extends StoredPage {
  /** The names of the values, in their order. */
  readonly columns: readonly string[];
}

export interface ImportReply {
  readonly stored: number;
  /** Rows that were there already. */
  readonly present: number;
  /** Rows that cannot be stored, by their place in the request. */
  readonly refused: readonly { readonly row: number; readonly message: string }[];
}

export type WhereSource = Iterable<WhereColumns> | AsyncIterable<WhereColumns>;

/** Column and value of the rows meant; null values do not count. */
export type WhereColumns = { readonly [column: string]: string | null };

/**
 * Every command of a hash equivalence server (docs/protocol.md), typed. A miss is null. Methods throw InvokeError
 * when the server refuses, AddressError when it cannot be reached.
 */
export interface HashClient extends Client {
  ping(): Promise<void>;
  get(method: string, taskhash: string): Promise<TaskUnihash | null>;
  /** The oldest outhash row of the task, joined with its unihash. */
  getAll(method: string, taskhash: string): Promise<HashRecord | null>;
  getOuthash(method: string, outhash: string, taskhash: string, withUnihash?: boolean): Promise<HashRecord | null>;
  /** The unihash of each line `method taskhash`, or null; in the same order. */
  getUnihashes(tasks: readonly string[]): Promise<(string | null)[]>;
  unihashesExist(unihashes: readonly string[]): Promise<boolean[]>;
  report(fields: ReportFields): Promise<TaskUnihash>;
  reportEquivalent(fields: TaskUnihash): Promise<TaskUnihash | null>;
  stats(): Promise<StatsReply>;
  /** Resolves to the figures before the reset. */
  resetStats(): Promise<StatsReply>;
  backfillWait(): Promise<number>;
  remove(where: WhereColumns): Promise<number>;
  gcMark(mark: string, where: WhereColumns): Promise<number>;
  /** Marks what each where names; yields how many rows that were. In bounded memory, whatever their number. */
  gcMarkAll(mark: string, wheres: WhereSource): AsyncGenerator<number, void, undefined>;
  gcStatus(): Promise<GcStatusReply>;
  /** Deletes what was not marked. `most`: a bakeserv refuses when that would be more rows, as when gcStatus told of. */
  gcSweep(mark: string, most?: number): Promise<number>;
  cleanUnused(maxAgeSeconds: number): Promise<number>;
  databaseUsage(): Promise<{ [table: string]: { rows: number } }>;
  queryColumns(): Promise<string[]>;
  getUser(username?: string): Promise<UserReply | null>;
  allUsers(): Promise<UserReply[]>;
  newUser(username: string, permissions: readonly string[]): Promise<UserReply>;
  setUserPermissions(username: string, permissions: readonly string[]): Promise<UserReply>;
  deleteUser(username?: string): Promise<UserReply>;
  refreshToken(username?: string): Promise<UserReply>;

  // Added to the protocol by bakeserv (docs/protocol.md): other servers do not know them.
  /** How many rows of each table a remove would take. */
  countRows(where: WhereColumns): Promise<RowCounts>;
  /** How many unihash rows each where names; changes nothing. */
  countAll(wheres: WhereSource): AsyncGenerator<number, void, undefined>;
  /** Rows of a table in the order they were stored, from after the id given. */
  exportRows(table: Table, after: number, limit?: number): Promise<RowPage>;
  /** Stores rows; those that are there stay as they are. */
  importRows(table: Table, rows: readonly RowValues[]): Promise<ImportReply>;
}

/** Connects to a hash equivalence server, and logs in where that is asked for. */
export async function connectHashClient(address: Address, options: HashClientOptions = {}): Promise<HashClient> {
  const { login, become, ...rest } = options;
  const client = await connectClient(address, {
    ...rest,
    protocol: HASH_PROTOCOL,
    resendable: RESENDABLE_HASH_COMMANDS,
    async onConnect(ask) {
      if (login) await ask('auth', { username: login.username, token: login.token });
      if (become !== undefined) await ask('become-user', { username: become });
    },
  });
  return { ...client, ...hashCommands(client) };
}

const WHERES_A_GROUP = 256;

async function* encoded(wheres: WhereSource, line: (where: { [column: string]: Json }) => Json) {
  let lines: string[] = [];
  for await (const where of wheres) {
    if (lines.push(encodeJson(line({ ...where }))) < WHERES_A_GROUP) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

/** Calls a command that only bakeserv has; a server that does not know it is named as such. */
async function added<T>(command: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isUnknownCommand(error) ? new InvokeError(unknownText(command), error) : error;
  }
}

/** bakeserv names the command; other servers close the connection without a word. */
function isUnknownCommand(error: unknown): boolean {
  if (error instanceof InvokeError) return /^unknown command/i.test(error.message);
  return error instanceof ClosedWithoutWord;
}

function unknownText(command: string): string {
  return `the server does not know ${command}: it is not bakeserv, or an older one`;
}

type HashCommands = Omit<HashClient, keyof Client>;

function hashCommands(client: Client): HashCommands {
  /** The reply, taken to be of the shape docs/protocol.md gives it. */
  const ask = async <T>(command: string, args: Json): Promise<T> => (await client.invoke(command, args)) as T;
  const count = async (command: string, args: Json) => (await ask<{ count: number }>(command, args)).count;
  async function* counts(command: string, wheres: WhereSource, line: (where: { [column: string]: Json }) => Json) {
    try {
      for await (const { answers } of client.streamBatches(command, encoded(wheres, line))) {
        for (const answer of answers) yield (JSON.parse(answer) as { count: number }).count;
      }
    } catch (error) {
      throw command === 'count-stream' && isUnknownCommand(error)
        ? new InvokeError(unknownText(command), error)
        : error;
    }
  }
  const named = (username: string | undefined) => (username === undefined ? {} : { username });
  return {
    ping: async () => void (await client.invoke('ping', {})),
    get: (method, taskhash) => ask('get', { method, taskhash, all: false }),
    getAll: (method, taskhash) => ask('get', { method, taskhash, all: true }),
    getOuthash: (method, outhash, taskhash, withUnihash = true) =>
      ask('get-outhash', { method, outhash, taskhash, with_unihash: withUnihash }),
    getUnihashes: async (tasks) => (await client.stream('get-stream', tasks)).map((line) => line || null),
    unihashesExist: async (unihashes) =>
      (await client.stream('exists-stream', unihashes)).map((line) => line === 'true'),
    report: (fields) => ask('report', { ...fields }),
    reportEquivalent: (fields) => ask('report-equiv', { ...fields }),
    stats: () => ask('get-stats', null),
    resetStats: () => ask('reset-stats', null),
    backfillWait: async () => (await ask<{ tasks: number }>('backfill-wait', null)).tasks,
    remove: (where) => count('remove', { where: { ...where } }),
    gcMark: (mark, where) => count('gc-mark', { mark, where: { ...where } }),
    gcMarkAll: (mark, wheres) => counts('gc-mark-stream', wheres, (where) => ({ mark, where })),
    gcStatus: () => ask('gc-status', {}),
    gcSweep: (mark, most) => count('gc-sweep', most === undefined ? { mark } : { mark, remove: most }),
    cleanUnused: (maxAgeSeconds) => count('clean-unused', { max_age_seconds: maxAgeSeconds }),
    databaseUsage: async () => (await ask<{ usage: { [table: string]: { rows: number } } }>('get-db-usage', {})).usage,
    queryColumns: async () => (await ask<{ columns: string[] }>('get-db-query-columns', {})).columns,
    getUser: (username) => ask('get-user', named(username)),
    allUsers: async () => (await ask<{ users: UserReply[] }>('get-all-users', {})).users,
    newUser: (username, permissions) => ask('new-user', { username, permissions: [...permissions] }),
    setUserPermissions: (username, permissions) => ask('set-user-perms', { username, permissions: [...permissions] }),
    deleteUser: (username) => ask('delete-user', named(username)),
    refreshToken: (username) => ask('refresh-token', named(username)),
    countRows: (where) => added('count-rows', () => ask('count-rows', { where: { ...where } })),
    countAll: (wheres) => counts('count-stream', wheres, (where) => ({ where })),
    exportRows: (table, after, limit = 1000) => added('export-rows', () => ask('export-rows', { table, after, limit })),
    importRows: (table, rows) =>
      added('import-rows', () => ask('import-rows', { table, columns: [...ROW_COLUMNS[table]], rows: rows as Json })),
  };
}
