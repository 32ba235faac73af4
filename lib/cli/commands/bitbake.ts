import { BakeservError, ConfigError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { environmentName, type Option } from '../../settings/options.ts';
import { SERVE_OPTIONS } from '../../settings/serve-options.ts';
import { type Flags, type Settings, withoutRustSettings } from '../../settings/settings.ts';
import { loadSettings } from './load-settings.ts';

/** Python's level names, which BitBake's commands use. */
const LEVELS: Readonly<Record<string, string>> = {
  CRITICAL: 'error',
  ERROR: 'error',
  WARNING: 'warn',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
};

/**
 * Our log level for one of Python's.
 * @throws ConfigError naming where it was given
 */
export function logLevel(python: string, where: string): string {
  const level = LEVELS[python.toUpperCase()];
  if (level) return level;
  throw new ConfigError(`${where}: ${JSON.stringify(python)} is not one of CRITICAL, ERROR, WARNING, INFO, DEBUG`);
}

/** The settings of `bakeserv serve` that correspond to a BitBake command; undefined ones take serve's default. */
export async function settingsFor(flags: Flags, environment: NodeJS.ProcessEnv): Promise<Settings> {
  // BitBake's commands have no configuration file: one in the current folder is not meant for them.
  const config = environment[environmentName('config')] || null;
  // Nor do they leave files that BitBake's servers would not.
  const kept = environment[environmentName('figures-file')] ? {} : { 'figures-file': '-' };
  return (await loadSettings({ ...flags, ...kept, config }, withoutRustSettings(environment))).settings;
}

/** Logs the equivalent `bakeserv serve` command, at debug level. */
export function explain(log: Logger, command: string, flags: Flags): void {
  const parts = SERVE_OPTIONS.flatMap(({ name, secret }) => {
    const value = flags[name];
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
    return [value].flat().map((each) => `--${name} ${secret ? '…' : shown(each)}`);
  });
  log.debug(`${command} stands for: bakeserv serve ${parts.join(' ')}`);
}

/** A listener is given as an object here. */
function shown(value: unknown): string {
  return String((value as { address?: unknown } | null)?.address ?? value);
}

/**
 * Runs a BitBake command. An error names options of `bakeserv serve`, and what to do by them: here it names those of the command, and for what
 * the command has no option the variable.
 * @param words what stands for an option or a variable here
 */
export async function inWordsOf<T>(
  options: readonly Option[],
  words: Readonly<Record<string, string>>,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // The same error, of its class and with its cause: only what it says is for somebody else.
    if (error instanceof BakeservError)
      error.message = error.message.replaceAll(/--[a-z][a-z-]*[a-z]|BAKESERV_[A-Z_]+/g, (word) => {
        return words[word] ?? (options.some(({ name }) => word === `--${name}`) ? word : variableFor(word));
      });
    throw error;
  }
}

function variableFor(word: string): string {
  const served = SERVE_OPTIONS.find(
    ({ name, secret }) => word === `--${name}` || (secret && word === `--${name}-file`),
  );
  if (!served) return word;
  return `${environmentName(word.slice(2))}${served.type === 'boolean' ? '=true' : ''}`;
}
