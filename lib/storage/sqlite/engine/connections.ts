import fs from 'node:fs';
import { createTicker } from '../../../asyncrpc/ticker.ts';
import { ConfigError } from '../../../errors.ts';
import { type Binding, LEAST_SQLITE_VERSION, openBinding } from './binding.ts';
import { BUSY_TIMEOUT_MS, LOCK_WAIT_MS, retryWhileBusy } from './busy.ts';

/**
 * A statement longer than this is interrupted. Maintenance pages by itself and is exempt; so
 * is a migration, which moves whole tables and would otherwise never get done on a large file.
 */
const STATEMENT_TIMEOUT_MS = 5_000;
/** Fits the upper index levels of a million rows. Every commit empties it. */
export const READER_CACHE_KIB = 4 * 1024;

/** The upper levels of all indexes of some million rows, for what goes through whole tables by them. */
export const LONG_READ_CACHE_KIB = 16 * 1024;

/** Bytes of a file; 0 when there is none. */
export function fileSize(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** @throws ConfigError when SQLite is older than what is safe */
export async function requireVersion(connection: Binding): Promise<void> {
  const [row] = await connection.all<{ version: string }>('SELECT sqlite_version() AS version');
  const number = (version: string) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  if (number(row!.version) >= number(LEAST_SQLITE_VERSION)) return;
  throw new ConfigError(
    `SQLite ${row!.version} can corrupt databases; ${LEAST_SQLITE_VERSION} or later is needed: run npm ci`,
  );
}

/** Retries while another program has the whole database locked, for as long as a lock is waited for. */
export function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  return retryWhileBusy(attempt, () => deadline);
}

/** One more connection, which only reads. @throws StorageError */
export async function openReader(file: string, mode: 'read' | 'immutable', cacheKib: number): Promise<Binding> {
  const connection = await openBinding(file, mode);
  try {
    const settings = `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA cache_size = -${cacheKib}; PRAGMA query_only = ON`;
    // Setting the cache's size reads the schema.
    await patiently(() => connection.exec(settings));
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Interrupts statements that run for too long. */
export interface StatementClock {
  /** From now on the clock runs whenever something runs on the connection. */
  watch(connection: Binding): void;
  close(): void;
}

/** @param hurried the connections whose statements are limited at that moment */
export function createStatementClock(
  { statementTimeoutMs = STATEMENT_TIMEOUT_MS }: { readonly statementTimeoutMs?: number },
  hurried: () => readonly Binding[],
): StatementClock {
  const ticker = createTicker(Math.min(500, statementTimeoutMs), () => {
    const now = performance.now();
    let isBusy = false;
    for (const connection of hurried()) {
      const busyMs = connection.busyMs(now);
      if (busyMs > 0) isBusy = true;
      if (busyMs > statementTimeoutMs) connection.interrupt();
    }
    return isBusy;
  });
  return { watch: (connection) => connection.onCall(ticker.wake), close: ticker.close };
}

/** Repeatedly: an interrupt that comes before the thread has started the statement is lost. */
export async function interruptWhile(busy: () => boolean, interrupt: () => void): Promise<void> {
  while (busy()) {
    interrupt();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
