import type { CallOptions } from '../asyncrpc/client/abort.ts';
import { isUnknownCommand } from '../asyncrpc/client/channel.ts';
import { type Client, connectClient } from '../asyncrpc/client/client.ts';
import type { Address } from '../asyncrpc/transport/address.ts';
import { encodeJson, type Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type {
  CompareReply,
  DatabaseUsage,
  HashClient,
  HashClientOptions,
  TaskKey,
  UserReply,
  WhereSource,
} from './client-types.ts';
import { MARKED_COLUMNS, ROW_COLUMNS } from './where.ts';

export const HASH_PROTOCOL = 'OEHASHEQUIV 1.1';

/**
 * Commands that may be sent twice: they read, or a repetition changes nothing and gets the same answer. Not among them:
 * commands that answer how much they removed, that create a user or a token, and reset-stats.
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
  'database-id',
  'export-rows',
  'export-tasks',
  'find-rows',
  'find-task',
  'import-rows',
  'insight-age',
  'insight-unstable',
  'insight-diff',
  'insight-equivalences',
  'insight-shared-state',
  'insight-status',
  'job-list',
  'job-show',
]);

/**
 * Connects to a hash equivalence server, and logs in if `login` is given.
 * @param address parsed, or as a text: `unix:///run/bakeserv/hash.sock`, `HOST:PORT`, `wss://HOST/PATH`
 * @throws AddressError when it is not an address or nobody answers there, InvokeError when the login is refused
 */
export async function connectHashClient(
  address: Address | string,
  options: HashClientOptions = {},
): Promise<HashClient> {
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

/** Calls a command that only bakeserv has; the error says if the server does not know it. */
async function added<T>(command: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isUnknownCommand(error) ? new InvokeError(unknownText(command), error) : error;
  }
}

function unknownText(command: string): string {
  return `the server does not know ${command}: it is not bakeserv, or an older one`;
}

/** A task as a line of get-stream. Another server may read white space and control characters in it otherwise. */
function taskLine({ method, taskhash }: TaskKey): string {
  for (const word of [method, taskhash]) {
    if (/^[^\s\p{Cc}]+$/u.test(word)) continue;
    throw new InvokeError(
      `${JSON.stringify(word.slice(0, 80))} is not a method or a taskhash: a single word was expected`,
    );
  }
  return `${method} ${taskhash}`;
}

type HashCommands = Omit<HashClient, keyof Client>;

function hashCommands(client: Client): HashCommands {
  /** The reply, trusted to have the shape that docs/protocol.md gives it. */
  const ask = async <T>(command: string, args: Json, options?: CallOptions): Promise<T> =>
    (await client.invoke(command, args, options)) as T;
  const count = async (command: string, args: Json, options?: CallOptions) =>
    (await ask<{ count: number }>(command, args, options)).count;
  async function* counts(
    command: string,
    wheres: WhereSource,
    line: (where: { [column: string]: Json }) => Json,
    options?: CallOptions,
  ) {
    try {
      for await (const { answers } of client.streamBatches(command, encoded(wheres, line), options)) {
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
    ping: async (options) => void (await client.invoke('ping', {}, options)),
    get: (method, taskhash, options) => ask('get', { method, taskhash, all: false }, options),
    getAll: (method, taskhash, options) => ask('get', { method, taskhash, all: true }, options),
    getOuthash: (method, outhash, taskhash, withUnihash = true, options) =>
      ask('get-outhash', { method, outhash, taskhash, with_unihash: withUnihash }, options),
    getUnihashes: async (tasks, options) =>
      (await client.stream('get-stream', tasks.map(taskLine), options)).map((line) => line || null),
    unihashesExist: async (unihashes, options) =>
      (await client.stream('exists-stream', unihashes, options)).map((line) => line === 'true'),
    report: (fields, options) => ask('report', { ...fields }, options),
    reportEquivalent: (fields, options) => ask('report-equiv', { ...fields }, options),
    stats: (options) => ask('get-stats', null, options),
    resetStats: (options) => ask('reset-stats', null, options),
    backfillWait: async (options) => (await ask<{ tasks: number }>('backfill-wait', null, options)).tasks,
    remove: (where, options) => count('remove', { where: { ...where } }, options),
    gcMark: (mark, where, options) => count('gc-mark', { mark, where: { ...where } }, options),
    gcMarkAll: (mark, wheres, options) => counts('gc-mark-stream', wheres, (where) => ({ mark, where }), options),
    gcStatus: (options) => ask('gc-status', {}, options),
    gcSweep: (mark, most, options) =>
      count('gc-sweep', most === undefined ? { mark } : { mark, remove: most }, options),
    cleanUnused: (maxAgeSeconds, options) => count('clean-unused', { max_age_seconds: maxAgeSeconds }, options),
    databaseUsage: async (options) => (await ask<{ usage: DatabaseUsage }>('get-db-usage', {}, options)).usage,
    queryColumns: async (options) => (await ask<{ columns: string[] }>('get-db-query-columns', {}, options)).columns,
    getUser: (username, options) => ask('get-user', named(username), options),
    allUsers: async (options) => (await ask<{ users: UserReply[] }>('get-all-users', {}, options)).users,
    newUser: (username, permissions, options) => ask('new-user', { username, permissions: [...permissions] }, options),
    setUserPermissions: (username, permissions, options) =>
      ask('set-user-perms', { username, permissions: [...permissions] }, options),
    deleteUser: (username, options) => ask('delete-user', named(username), options),
    refreshToken: (username, options) => ask('refresh-token', named(username), options),
    countRows: (where, options) => added('count-rows', () => ask('count-rows', { where: { ...where } }, options)),
    countAll: (wheres, options) => counts('count-stream', wheres, (where) => ({ where }), options),
    findTask: (text, limit, options) => ask('find-task', { text, ...(limit !== undefined && { limit }) }, options),
    exportRows: (table, after, limit = 1000, options) =>
      added('export-rows', () =>
        ask('export-rows', { table, after, limit, ...(options?.marks && { marks: true }) }, options),
      ),
    importRows: (table, rows, options) =>
      added('import-rows', () =>
        ask(
          'import-rows',
          { table, columns: [...(options?.marks ? MARKED_COLUMNS : ROW_COLUMNS)[table]], rows: rows as Json },
          options,
        ),
      ),
    compareRows: (table, rows, options) =>
      added('import-rows', () => {
        const columns = [...MARKED_COLUMNS[table]];
        return ask<CompareReply>('import-rows', { table, columns, rows: rows as Json, check: true }, options);
      }),
  };
}
