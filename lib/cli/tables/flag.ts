import type { Option } from '../../settings/options.ts';

/** An option that is on where it is given. */
export function flag(name: string, describe: string, group: string): Option {
  return { name, type: 'boolean', default: false, describe, group };
}
