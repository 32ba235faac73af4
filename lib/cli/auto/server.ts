import { setTimeout as pause } from 'node:timers/promises';
import { AddressError } from '../../errors.ts';
import { type Lock, tryLock } from '../../lock.ts';
import type { Settings } from '../../settings/settings.ts';
import { reportFailure, reportReady } from '../process/background.ts';
import type { Build, PrivateCommand } from '../process/control.ts';
import { askStatus } from '../process/control-client.ts';
import { type Running, runServer } from '../process/run-server.ts';
import { STATUS_ALREADY_RUNNING } from './ensure.ts';
import { type AutoPlace, prepare } from './place.ts';
import { choosePort, keepPort } from './port.ts';
import { createTenancy, type Tenancy } from './tenancy.ts';

/** An old server drains for at most 10 s. */
const LOCK_WAIT_MS = 15_000;
const RETRY_MS = 50;

/**
 * Runs the private server of a build folder in this process.
 * @param first the build it is started for
 * @param command for `bakeserv status`
 * @returns the exit status
 */
export async function serveAuto(
  place: AutoPlace,
  load: () => Promise<Settings>,
  first: Build,
  command: PrivateCommand = 'auto',
): Promise<number> {
  let lock: Lock | null = null;
  let tenancy: Tenancy | null = null;
  try {
    // As a logger of its own opens it again: what only writes to stderr goes on in a file that was rotated.
    const log = process.connected ? place.log : null;
    const settings = withLog(await load(), log);
    prepare(place);
    lock = await waitForLock(place);
    if (!lock) return STATUS_ALREADY_RUNNING;
    const held = lock;
    const port = await choosePort(place);
    return await runServer({
      command,
      settings: withPort(settings, port),
      reload: async () => withPort(withLog(await load(), log), port),

      controls(running) {
        const { server, stop, status, reload, job } = running;
        tenancy = createTenancy({ first, clientsIdleMs: () => server.idleMs, onUnused: stop });
        const { join, lease, stopped } = tenancy;
        const askedToStop = () => {
          stopped();
          stop('request');
        };
        return [{ file: place.control, actions: { status, reload, job, stop: askedToStop, join, lease } }];
      },
      async onListening(running) {
        keepPort(place, portOf(running));
        reportReady(await running.status());
      },
      onStopping: () => tenancy?.close(),
      onClosed: () => held.release(),
    });
  } catch (error) {
    reportFailure(error);
    await lock?.release();
    throw error;
  }
}

/** The lock, or null once another server answers there. */
async function waitForLock(place: AutoPlace): Promise<Lock | null> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const lock = await tryLock(place.lock);
    if (lock) return lock;
    if (await askStatus(place.control)) return null;
    if (performance.now() > deadline)
      throw new AddressError(`another server holds ${place.lock} and does not answer; its log is ${place.log}`);
    await pause(RETRY_MS);
  }
}

/** @param file the log of a server in the background, where no other is asked for */
function withLog(settings: Settings, file: string | null): Settings {
  const setting = settings.get('log-file')!;
  return file === null || setting.value ? settings : new Map(settings).set('log-file', { ...setting, value: file });
}

function withPort(settings: Settings, port: number): Settings {
  const bind = settings.get('bind')!;
  const [socket] = bind.value as readonly string[];
  return new Map(settings).set('bind', { ...bind, value: [socket!, `127.0.0.1:${port}`] });
}

function portOf({ server }: Running): number {
  for (const { address } of server.listeners) if (address.kind === 'tcp') return address.port;
  throw new Error('a private server without a TCP listener');
}
