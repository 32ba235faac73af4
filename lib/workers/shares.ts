import type { Limits } from '../asyncrpc/limits.ts';
import type { Config } from '../settings/config.ts';

/** Limits of which each worker has its part, so that they hold for the sum of all. */
const COUNTS = [
  'maxHandshakes',
  'maxHandshakesPerAddress',
  'maxHttpConnections',
  'maxLoginFailures',
  'maxCautiousLogins',
] as const;

/**
 * The limits of one worker of several. What is not divided is a limit of one connection, or is counted where clients are
 * accepted. Memory for messages cannot be less than the longest message needs.
 */
export function shareOf(limits: Limits, workers: number): Limits {
  const share = (name: keyof Limits, least = 1) => Math.max(least, Math.ceil(limits[name] / workers));
  const partial = share('maxPartialBytes', limits.maxMessageBytes);
  const counts = Object.fromEntries(COUNTS.map((name) => [name, share(name)]));
  return { ...limits, ...counts, maxPartialBytes: partial, maxHeldBytes: share('maxHeldBytes', partial) };
}

/** The settings of one worker of several. */
export function configOfWorker(config: Config): Config {
  return { ...config, limits: shareOf(config.limits, config.workers) };
}
