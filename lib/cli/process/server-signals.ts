import { errorText } from '../../errors.ts';
import type { ProgramLogger } from '../../log.ts';
import { configOf } from '../../settings/config.ts';
import type { Settings } from '../../settings/settings.ts';

/** What a running server applies when its settings are read again. */
const RELOADED = ['log-level'];

/**
 * Handles the signals that must not end a server. SIGHUP reopens the log and reads the settings again, also under nohup;
 * SIGUSR2 does nothing. The launcher already ignores SIGUSR1, on which Node would open a debugger port.
 * @param reload reads the settings again
 */
export function heedSignals(settings: Settings, reload: () => Promise<Settings>, log: ProgramLogger): void {
  const takeOver = async () => {
    try {
      log.reopen();
    } catch (error) {
      log.error(`SIGHUP: the log cannot be opened again, and goes on in the old file: ${errorText(error)}`);
    }
    try {
      const now = await reload();
      log.setLevel(configOf(now).logLevel);
      const later = changed(settings, now).filter((name) => !RELOADED.includes(name));
      log.info(
        `SIGHUP: the log was opened again and the settings were read${later.length > 0 ? `; at the next start: ${later.join(', ')}` : ''}`,
      );
    } catch (error) {
      log.error(`SIGHUP: the settings are wrong, those from before stay: ${errorText(error)}`);
    }
  };
  process.on('SIGHUP', () => void takeOver());
  process.on('SIGUSR2', () => {});
}

function changed(before: Settings, now: Settings): string[] {
  const value = (of: Settings, name: string) => JSON.stringify(of.get(name)?.value);
  return [...now.keys()].filter((name) => value(before, name) !== value(now, name));
}
