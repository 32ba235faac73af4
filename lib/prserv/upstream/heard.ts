import type { PackageKey } from '../store.ts';
import type { Heard } from './chain.ts';

/** About what they take in memory: texts of two bytes a character, and the entry around them. */
const MAX_BYTES = 16 * 1024 * 1024;
const ENTRY_BYTES = 160;

/** What was heard above of each package, for when the upstream is away. The oldest are forgotten past `maxBytes`. */
export function createHeardPackages(maxBytes = MAX_BYTES) {
  const packages = new Map<string, Heard>();
  let bytes = 0;

  const keyOf = ({ version, pkgarch }: PackageKey) => `${version}\0${pkgarch}`;
  const cost = (key: string, heard: Heard) =>
    ENTRY_BYTES + 2 * (key.length + (heard ? heard.max.length + heard.under.length : 0));

  function forget(key: string): void {
    const heard = packages.get(key);
    if (heard === undefined) return;
    packages.delete(key);
    bytes -= cost(key, heard);
  }

  return {
    /** Undefined: nothing was heard yet. */
    get: (key: PackageKey): Heard | undefined => packages.get(keyOf(key)),
    set(packageKey: PackageKey, heard: Heard): void {
      const key = keyOf(packageKey);
      forget(key);
      packages.set(key, heard);
      bytes += cost(key, heard);
      for (const oldest of packages.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
    },
    get bytes() {
      return bytes;
    },
  };
}
