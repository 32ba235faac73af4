import { ConfigError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { environmentName } from '../../settings/options.ts';
import { SERVE_OPTIONS } from '../../settings/serve-options.ts';
import { type Flags, type Settings, withoutRustSettings } from '../../settings/settings.ts';
import { loadSettings } from './load-settings.ts';

/** Python's level names, as BitBake's own commands take them. */
const LEVELS: Readonly<Record<string, string>> = {
  CRITICAL: 'error',
  ERROR: 'error',
  WARNING: 'warn',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
};

/**
 * Our level of a Python one.
 * @throws ConfigError naming where it was given
 */
export function logLevel(python: string, where: string): string {
  const level = LEVELS[python.toUpperCase()];
  if (level) return level;
  throw new ConfigError(`${where}: ${JSON.stringify(python)} is not one of CRITICAL, ERROR, WARNING, INFO, DEBUG`);
}

/** The settings of `bakeserv serve` that a command of BitBake's stands for; what is undefined is left to serve. */
export async function settingsFor(flags: Flags, environment: NodeJS.ProcessEnv): Promise<Settings> {
  // BitBake's commands know no configuration file: one that happens to lie in the current folder is not theirs.
  const config = environment[environmentName('config')] || null;
  return (await loadSettings({ ...flags, config }, withoutRustSettings(environment))).settings;
}

/** Says at debug level which call of ours the command is. */
export function explain(log: Logger, command: string, flags: Flags): void {
  const parts = SERVE_OPTIONS.flatMap(({ name, secret }) => {
    const value = flags[name];
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
    return [value].flat().map((each) => `--${name} ${secret ? '…' : each}`);
  });
  log.debug(`${command} stands for: bakeserv serve ${parts.join(' ')}`);
}
