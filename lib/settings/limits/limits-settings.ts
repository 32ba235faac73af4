import fs from 'node:fs';
import { DEFAULT_LIMITS, faultOfLimits, type Limits } from '../../asyncrpc/limits.ts';
import { ConfigError } from '../../errors.ts';
import { SERVE_OPTIONS } from '../serve-options.ts';
import type { Settings } from '../settings.ts';

/** The limit of open files of this process, or infinity where the system does not tell. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'));
    return line ? Number(line[1]) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Descriptors kept for databases, listeners and logs. */
const RESERVED_DESCRIPTORS = 128;

/**
 * @param descriptors how many files may be open
 * @throws ConfigError when limits do not fit each other
 */
export function limitsOf(settings: Settings, descriptors: number): Limits {
  const limits: Record<string, number> = { ...DEFAULT_LIMITS };
  for (const { name, type, limit } of SERVE_OPTIONS) {
    if (limit) limits[limit] = (settings.get(name)!.value as number) * (type === 'seconds' ? 1000 : 1);
  }
  limits.maxConnections = Math.min(limits.maxConnections!, Math.max(1, descriptors - RESERVED_DESCRIPTORS));
  if (settings.get('max-connections-per-address')!.where === null) {
    limits.maxConnectionsPerAddress = Math.max(1, Math.floor(limits.maxConnections / 2));
  }
  const fault = faultOfLimits(limits as unknown as Limits);
  if (fault) throw new ConfigError(fault);
  return Object.freeze(limits as unknown as Limits);
}
