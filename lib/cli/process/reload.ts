import { BakeservError, errorText } from '../../errors.ts';
import type { ProgramLogger } from '../../log.ts';
import { checkConfig, type TakenOver } from '../../server.ts';
import { type Config, configOf } from '../../settings/config.ts';
import { descriptorLimit } from '../../settings/limits/limits-settings.ts';
import type { Settings } from '../../settings/settings.ts';
import type { LedServer } from '../../workers/lead.ts';

/**
 * Has a running server open its log and read its settings again, and take over what can be taken over; wrong settings change
 * nothing. Never rejects. One at a time, in the order of the calls.
 * @param asked what asked for it, for the log
 */
export type Reload = (asked: string) => Promise<TakenOver>;

export interface ReloadOptions {
  /** What the server was started with. */
  readonly settings: Settings;
  /** Reads them again. */
  readonly read: () => Promise<Settings>;
  readonly log: ProgramLogger;
  /** Listening sockets were handed over. */
  readonly inherited: boolean;
  /** The server, once it is there. */
  readonly server: Promise<Pick<LedServer, 'takeOver' | 'reopen'>>;
}

export function createReload({ settings, read, log, inherited, server }: ReloadOptions): Reload {
  let level = configOf(settings).logLevel;
  let last: Promise<unknown> = Promise.resolve();

  /** What is set to something else than at the start, and waits for the next. */
  const waiting = (now: Settings) =>
    [...now.values()]
      .filter(({ option, value }) => !option.reloads && !isSame(settings.get(option.name)?.value, value))
      .map(({ option }) => option.name);

  async function takeOver(running: Pick<LedServer, 'takeOver'>): Promise<TakenOver> {
    const now = await read();
    const config: Config = configOf(now, descriptorLimit());
    await checkConfig(config, { inherited, ahead: false });
    const { taken, later, faults } = await running.takeOver(config);
    const isNew = config.logLevel !== level;
    level = config.logLevel;
    log.setLevel(level);
    return { taken: [...(isNew ? ['log-level'] : []), ...taken], later: [...waiting(now), ...later], faults };
  }

  function cannotOpen(asked: string, what: string, error: unknown): string[] {
    const why = `${what} cannot be opened again, and goes on in the old file: ${errorText(error)}`;
    log.error(`${asked}: ${why}`);
    return [why];
  }

  function reopenLog(asked: string): string[] {
    try {
      log.reopen();
      return [];
    } catch (error) {
      return cannotOpen(asked, 'the log', error);
    }
  }

  async function reload(asked: string): Promise<TakenOver> {
    const running = await server;
    const faults = await running.reopen().then(
      () => [],
      (error) => cannotOpen(asked, 'the access log', error),
    );
    try {
      const result = await takeOver(running);
      tell(asked, result, log);
      return { ...result, faults: [...faults, ...result.faults] };
    } catch (error) {
      const why = `the settings are wrong, those from before stay: ${textOf(error)}`;
      log.error(`${asked}: ${why}`);
      return { taken: [], later: [], faults: [...faults, why] };
    }
  }

  return (asked) => {
    // At once, also while the server has yet to start.
    const faults = reopenLog(asked);
    const result = last.then(() => reload(asked)).then((each) => ({ ...each, faults: [...faults, ...each.faults] }));
    last = result;
    return result;
  };
}

function tell(asked: string, { taken, later, faults }: TakenOver, log: ProgramLogger): void {
  const what = taken.length > 0 ? `; taken over: ${taken.join(', ')}` : '';
  log.info(`${asked}: the log was opened again and the settings were read${what}`);
  if (later.length > 0) log.warn(`${asked}: this waits for a restart: ${later.join(', ')}`);
  for (const fault of faults) log.error(`${asked}: this was not taken over: ${fault}`);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** With its stack where it is none of ours. */
function textOf(error: unknown): string {
  return error instanceof BakeservError || !(error instanceof Error)
    ? errorText(error)
    : (error.stack ?? error.message);
}
