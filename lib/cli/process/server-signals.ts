import { errorText } from '../../errors.ts';
import type { ProgramLogger } from '../../log.ts';
import { configOf } from '../../settings/config.ts';
import type { Settings } from '../../settings/settings.ts';

/** What a server takes over while it runs. */
const RELOADED = ['log-level'];

/**
 * Heeds the signals that must not end a server: by SIGHUP the log is opened again and the settings are read again, also
 * under nohup; SIGUSR2 does nothing. SIGUSR1 does nothing either, from the launcher on: Node would open a debugger's port.
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
