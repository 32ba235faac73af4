import { ConfigError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { environmentName, type Option } from '../options.ts';
import { SERVE_OPTIONS } from '../settings/serve-options.ts';
import { type Flags, type Settings, withoutRustSettings } from '../settings/settings.ts';
import { loadSettings } from './load-settings.ts';
import { UsageError } from './main.ts';

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

/** An option of a command of BitBake's. */
export const dropIn = (
  name: string,
  alias: string | null,
  type: 'string' | 'boolean',
  value: Option['default'],
  describe: string,
): Option => ({
  name,
  ...(alias && { alias }),
  type,
  default: value,
  describe,
  group: 'Options',
  flagOnly: true,
  ...(name.endsWith('password') && { secret: true as const }),
});

/**
 * A command line whose long options are written out, where BitBake's commands take any beginning that one option alone has.
 * @throws UsageError naming the options that are meant, when several are
 */
export function unabbreviated(options: readonly Option[], args: readonly string[]): string[] {
  return args.map((arg) => {
    const [, given, rest] = /^--([a-z][a-z-]*)(=.*)?$/s.exec(arg) ?? [];
    if (given === undefined || options.some(({ name }) => name === given)) return arg;
    const meant = options.filter(({ name }) => name.startsWith(given)).map(({ name }) => `--${name}`);
    if (meant.length > 1) throw new UsageError(`--${given} could be ${meant.join(' or ')}`);
    return meant.length === 1 ? `${meant[0]}${rest ?? ''}` : arg;
  });
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
