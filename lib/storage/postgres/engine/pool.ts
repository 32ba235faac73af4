import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig } from 'pg';
import { ConfigError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import type { Host, PostgresAddress, TargetSession } from './address.ts';
import { isAway, isPoolerError, isReadOnly, sqlState, toStorageError } from './errors.ts';
import { passwordFor } from './pass-file.ts';

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
  /** Turns to the next of several hosts: this one takes no writes, or does not answer. */
  nextHost(): void;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly address: PostgresAddress;
  readonly max: number;
  /** How long a read is tried before it fails. */
  readonly readMs: number;
  readonly log: Logger;
}

/** What another host is asked to be, by what a connection says about itself. */
const TARGETS: Readonly<Record<TargetSession, (state: { standby: boolean; readOnly: boolean }) => boolean>> = {
  any: () => true,
  'prefer-standby': () => true,
  primary: ({ standby }) => !standby,
  standby: ({ standby }) => standby,
  'read-write': ({ standby, readOnly }) => !standby && !readOnly,
  'read-only': ({ standby, readOnly }) => standby || readOnly,
};

const BACK_OFF_MS = [50, 100, 200, 400] as const;
const IDLE_MS = 60_000;

/** Connections to the first of an address's hosts that answers and is what is wanted. */
export function createPool({ address, max, readMs, log }: PoolOptions): ConnectionPool {
  const { hosts } = address;
  let at = 0;
  let named = true;
  /** Hosts that have no TLS, where the address does not insist on it. */
  const withoutTls = new Set<Host>();

  class HostClient extends Client {
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

  const pool = new Pool({
    user: address.user,
    database: address.database,
    application_name: address.applicationName,
    max,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: address.connectTimeoutMs,
    keepAlive: true,
    Client: HostClient,
    onConnect: address.target === 'any' ? undefined : requireTarget,
  } as ConstructorParameters<typeof Pool>[0]);
  // A connection that breaks while nobody uses it: the next use makes another.
  pool.on('error', (error) => log.debug(`a connection to the database broke: ${error.message}`));

  async function requireTarget(client: Pick<PoolClient, 'query'>): Promise<void> {
    const { rows } = await client.query(
      "SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS \"readOnly\"",
    );
    if (!TARGETS[address.target]!(rows[0]))
      throw Object.assign(new Error(`the host is not ${address.target}`), { code: '08004' });
  }

  /** Tries each host once. */
  async function connect(): Promise<PoolClient> {
    for (let tried = 1; ; tried++) {
      const host = hosts[at]!;
      const withTls = !withoutTls.has(host);
      try {
        return await pool.connect();
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        if (withTls && address.tlsOptional && /does not support SSL/.test((error as Error).message)) {
          withoutTls.add(host);
          tried--;
          continue;
        }
        if (!isAway(error) && sqlState(error) !== '') throw error;
        at = (at + 1) % hosts.length;
        if (tried >= hosts.length) throw error;
      }
    }
  }

  async function use<T>(work: (session: Session) => Promise<T>, until: number): Promise<T> {
    let client: PoolClient;
    try {
      client = await connect();
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
        if (isAway(error) || isReadOnly(error) || config.text === 'ROLLBACK') broken = true;
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
      ...(named && { name }),
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
      for (let attempt = 0; ; attempt++) {
        try {
          return await use((session) => session.all<Row>(statement, params), until);
        } catch (error) {
          const again = isAway(error) || isAway((error as Error).cause) || isPoolerError(error);
          const waitMs = BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)]!;
          if (!again || performance.now() + waitMs >= until) throw toStorageError(error, address.shown);
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        }
      }
    },
    nextHost() {
      at = (at + 1) % hosts.length;
    },
    close: () => pool.end(),
  };
}

function serverName({ host }: Host): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}
