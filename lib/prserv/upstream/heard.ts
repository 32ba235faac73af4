import { BoundedMap } from '../../asyncrpc/bounded-map.ts';
import type { PackageKey } from '../store.ts';
import type { Heard } from './chain.ts';

/** Approximate memory: texts of two bytes a character, and the entry around them. */
const MAX_BYTES = 16 * 1024 * 1024;
const ENTRY_BYTES = 160;

/** What was heard about each package from above, for when the upstream is away. Past `maxBytes` the oldest are forgotten. */
export function createHeardPackages(maxBytes = MAX_BYTES) {
  const packages = new BoundedMap<string, Heard>(
    maxBytes,
    (key, heard) => ENTRY_BYTES + 2 * (key.length + (heard ? heard.max.length + heard.under.length : 0)),
  );
  const keyOf = ({ version, pkgarch }: PackageKey) => `${version}\0${pkgarch}`;
  return {
    /** Undefined: nothing was heard yet. */
    get: (key: PackageKey): Heard | undefined => packages.get(keyOf(key)),
    set(key: PackageKey, heard: Heard): void {
      packages.set(keyOf(key), heard);
      packages.trim();
    },
    get bytes() {
      return packages.weight;
    },
  };
}
