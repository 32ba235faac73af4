import { ConfigError } from '../../errors.ts';
import type { Flags } from '../../settings/settings.ts';

/**
 * A whole number from a flag.
 * @throws ConfigError naming the flag
 */
export function wholeNumber(flags: Flags, name: string, expected: string): number | null {
  const text = flags[name] as string | undefined;
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new ConfigError(`--${name}: ${JSON.stringify(text)} is not ${expected}`);
  return Number(text);
}
