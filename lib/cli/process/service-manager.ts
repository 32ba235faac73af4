import { spawn } from 'node:child_process';
import { reasonOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';

/** Where and how a service manager is told how the server is doing (sd_notify(3)). */
export interface NotifyAddress {
  /** A path, or a name of the abstract namespace behind `@`. */
  readonly socket: string;
  /** It ends a server from which it does not hear for this long; null: never. */
  readonly watchdogMs: number | null;
}

/**
 * What the environment says of a service manager that waits for this process; null where none does. Removed from it, so that
 * no child speaks for us.
 */
export function takeNotifyAddress(environment: NodeJS.ProcessEnv): NotifyAddress | null {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, SYSTEMD_EXEC_PID } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  // A server that a service starts for itself, a CI job for example, must not report itself as that service.
  const isOurs = (pid: string | undefined) => pid === undefined || Number(pid) === process.pid;
  if (!NOTIFY_SOCKET || !/^[/@]./.test(NOTIFY_SOCKET) || !isOurs(SYSTEMD_EXEC_PID)) return null;
  const watchdogMs = isOurs(WATCHDOG_PID) && /^\d{1,15}$/.test(WATCHDOG_USEC ?? '') ? Number(WATCHDOG_USEC) / 1000 : 0;
  return { socket: NOTIFY_SOCKET, watchdogMs: watchdogMs > 0 ? watchdogMs : null };
}

/** Sends messages, in the order of the calls. Never rejects; resolves to whether it was handed over. */
export type Notify = (...assignments: readonly string[]) => Promise<boolean>;

/** It waits until the manager has taken the message, which takes milliseconds. */
const SEND_MS = 5000;

/**
 * Sends by systemd's own program: Node has no datagram sockets of the Unix kind. It is started for each message; there are
 * few. Where it cannot be started, one warning says so.
 */
export function createNotify({ socket }: NotifyAddress, environment: NodeJS.ProcessEnv, log: Logger): Notify {
  const env = { PATH: environment.PATH, NOTIFY_SOCKET: socket };
  let warned = false;
  let last: Promise<unknown> = Promise.resolve();

  const send = (assignments: readonly string[]) =>
    new Promise<boolean>((resolve) => {
      const failed = (why: string) => {
        if (!warned)
          log.warn(
            `systemd-notify: ${why}: the service manager is not told how the server is doing; without that program use Type=exec and no WatchdogSec`,
          );
        warned = true;
        resolve(false);
      };
      try {
        const child = spawn('systemd-notify', assignments, { env, stdio: 'ignore', timeout: SEND_MS });
        // It ends by itself, and must not keep a server alive that has stopped.
        child.unref();
        child.once('error', (error) => failed(reasonOf(error)));
        child.once('exit', (status, signal) =>
          status === 0 ? resolve(true) : failed(signal ? `ended by ${signal}` : `it ended with status ${status}`),
        );
      } catch (error) {
        failed(reasonOf(error));
      }
    });
  return (...assignments) => {
    const sent = last.then(() => send(assignments));
    last = sent;
    return sent;
  };
}
