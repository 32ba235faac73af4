import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig } from 'pg';
import { ConfigError, StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { Host, PostgresAddress, TargetSession } from './address.ts';
import {
  isAway,
  isConflict,
  isFatal,
  isGivenUp,
  isPoolerError,
  isReadOnly,
  isStandbyConflict,
  NO_CONNECTION_IN_TIME,
  sqlState,
  tellingOf,
  toStorageError,
} from './errors.ts';
import { passwordFor } from './pass-file.ts';
import { createStatementNames } from './statement-names.ts';

/** An SQL statement; prepared under its name where the connection is ours alone. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A connection for the time it is lent. */
export interface Session {
  all<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]>;
  /** Resolves to the rows changed. */
  run(statement: Statement, params?: readonly unknown[]): Promise<number>;
  /** Statements without parameters, in one round trip. */
  exec(text: string): Promise<void>;
}

export interface ConnectionPool {
  /**
   * Lends a connection. One that broke, or whose fate is unknown, is not used again.
   * @param until when its statements are given up, as `performance.now()`
   */
  use<T>(work: (session: Session) => Promise<T>, until: number): Promise<T>;
  /** Runs a statement that only reads: once more on another connection where one broke. */
  read<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly address: PostgresAddress;
  readonly max: number;
  /** How long a read is tried before it fails. */
  readonly readMs: number;
  readonly log: Logger;
}

/** What a host must be, by what a connection to it says. */
const TARGETS: Readonly<Record<TargetSession, (state: { standby: boolean; readOnly: boolean }) => boolean>> = {
  any: () => true,
  // Where no host is one, each is taken: see `connect`.
  'prefer-standby': ({ standby }) => standby,
  primary: ({ standby }) => !standby,
  standby: ({ standby }) => standby,
  'read-write': ({ standby, readOnly }) => !standby && !readOnly,
  'read-only': ({ standby, readOnly }) => standby || readOnly,
};

const BACK_OFF_MS = [50, 100, 200, 400] as const;
const IDLE_MS = 60_000;
/** A connection that was made to the primary because there was no standby does not stay for ever. */
const PREFERENCE_SECONDS = 300;

/** Connections to the first of an address's hosts that answers and is what is wanted. */
export function createPool({ address, max, readMs, log }: PoolOptions): ConnectionPool {
  const { hosts, target } = address;
  let at = 0;
  let named = true;
  const nameOf = createStatementNames();
  /** How many look for any host, having found that none is a standby. */
  let anyHostWanted = 0;
  /** Hosts that have no TLS, where the address does not insist on it. */
  const withoutTls = new Set<Host>();
  /** When a statement to a host was last given up: it may hang, and then every connection to it does. */
  const givenUpAt = new Map<Host, number>();

  class HostClient extends Client {
    readonly server = hosts[at]!;
    readonly madeAt = performance.now();
    constructor(given?: string | ClientConfig) {
      const host = hosts[at]!;
      const config: ClientConfig = { ...(given as ClientConfig), host: host.host, port: host.port };
      config.password = async () => (await passwordFor(address, host)) ?? '';
      if (address.tls && !withoutTls.has(host) && !host.host.startsWith('/'))
        config.ssl = { ...address.tls, ...serverName(host) };
      super(config);
      // A connection that breaks while it is lent also tells so by the statement that it breaks.
      this.on('error', () => {});
    }
  }
  type Lent = HostClient & PoolClient;

  const pool = new Pool({
    user: address.user,
    database: address.database,
    application_name: address.applicationName,
    max,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: address.connectTimeoutMs,
    keepAlive: true,
    Client: HostClient,
    onConnect: target === 'any' ? undefined : requireTarget,
    ...(target === 'prefer-standby' && { maxLifetimeSeconds: PREFERENCE_SECONDS }),
  } as ConstructorParameters<typeof Pool>[0]);
  // A connection that breaks while nobody uses it: the next use makes another.
  pool.on('error', (error) => log.debug(`a connection to the database broke: ${error.message}`));

  async function requireTarget(client: Pick<PoolClient, 'query'>): Promise<void> {
    const { rows } = await client.query({
      text: "SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS \"readOnly\"",
      query_timeout: address.connectTimeoutMs,
    } as QueryConfig);
    if (anyHostWanted === 0 && !TARGETS[target](rows[0]))
      throw Object.assign(new Error(`the host is not ${target}`), { code: '08004' });
  }

  /** Turns to the next host, unless somebody has. */
  function leave(host: Host): void {
    if (hosts[at] === host) at = (at + 1) % hosts.length;
  }

  /** Tries each host once; with `prefer-standby`, as libpq does, each once as a standby and then each as it is. */
  async function connect(until: number): Promise<Lent> {
    try {
      return await tryEach(until);
    } catch (error) {
      if (target !== 'prefer-standby' || performance.now() > until) throw error;
    }
    anyHostWanted++;
    try {
      return await tryEach(until);
    } finally {
      anyHostWanted--;
    }
  }

  async function tryEach(until: number): Promise<Lent> {
    for (let tried = 1; ; tried++) {
      const host = hosts[at]!;
      const withTls = !withoutTls.has(host);
      try {
        return await lend(until);
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        if (withTls && address.tlsOptional && /does not support SSL/.test((error as Error).message)) {
          withoutTls.add(host);
          tried--;
          continue;
        }
        if (!isAway(error) && sqlState(error) !== '') throw error;
        leave(host);
        if (tried >= hosts.length || performance.now() > until) throw error;
      }
    }
  }

  /** A connection of the pool, in time. */
  async function lend(until: number): Promise<Lent> {
    for (;;) {
      const client = (await inTime(pool.connect(), until)) as Lent;
      if (client.madeAt >= (givenUpAt.get(client.server) ?? 0)) return client;
      client.release(true);
    }
  }

  async function use<T>(work: (session: Session) => Promise<T>, until: number): Promise<T> {
    let client: Lent;
    try {
      client = await connect(until);
    } catch (error) {
      throw toStorageError(error, address.shown);
    }
    let broken = false;
    const query = async (config: QueryConfig) => {
      try {
        const leftMs = Math.max(1, Math.ceil(until - performance.now()));
        // As the driver reads it, and its types do not say.
        return await client.query({ ...config, query_timeout: leftMs } as QueryConfig);
      } catch (error) {
        // A standby that was the primary is left, as is a connection in an unknown state.
        if (isAway(error) || isReadOnly(error) || isFatal(error) || config.text === 'ROLLBACK') broken = true;
        if (isReadOnly(error)) leave(client.server);
        if (isGivenUp(error)) givenUpAt.set(client.server, performance.now());
        if (isPoolerError(error) && named) {
          named = false;
          log.info('prepared statements are not used: a pooler stands before the database', {
            database: address.shown,
          });
        }
        throw error;
      }
    };
    const prepared = ({ name, text }: Statement, params: readonly unknown[]): QueryConfig => ({
      text,
      values: params as unknown[],
      ...(named && name !== '' && { name: nameOf(name, text) }),
    });
    try {
      return await work({
        all: async (statement, params = []) => (await query(prepared(statement, params))).rows,
        run: async (statement, params = []) => (await query(prepared(statement, params))).rowCount ?? 0,
        exec: async (text) => void (await query({ text })),
      });
    } finally {
      client.release(broken);
    }
  }

  return {
    use,
    async read<Row>(statement: Statement, params: readonly unknown[] = []) {
      const until = performance.now() + readMs;
      let earlier: unknown = null;
      for (let attempt = 0; ; attempt++) {
        try {
          return await use((session) => session.all<Row>(statement, params), until);
        } catch (error) {
          const cause = error instanceof StorageError ? error.cause : error;
          // A standby cancels a look-up of rows that the primary has removed meanwhile.
          const again = isAway(cause) || isPoolerError(cause) || isConflict(cause) || isStandbyConflict(cause);
          const waitMs = BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)]!;
          const telling = tellingOf(earlier, error);
          if (!again || performance.now() + waitMs >= until) throw toStorageError(telling, address.shown);
          earlier = telling;
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        }
      }
    },
    close: () => pool.end(),
  };
}

function serverName({ host }: Host): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

/** A connection that comes too late goes back to the pool. @throws as the driver does when it waits for one in vain */
async function inTime(connecting: Promise<PoolClient>, until: number): Promise<PoolClient> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(NO_CONNECTION_IN_TIME)), Math.max(0, until - performance.now()));
  });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => {},
    );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
