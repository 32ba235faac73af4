import type { PackageCount, PrStore, VersionSlice } from './store.ts';

export interface FoundPackages {
  readonly packages: readonly (PackageCount & { readonly max: string | null })[];
  /** There are more than were asked for. */
  readonly cut: boolean;
  /** All versions were looked through, or there are more than were asked for. */
  readonly complete: boolean;
}

/** Versions that are looked through in one go: by the primary key, one step each, some ten milliseconds. */
const LOOKED_AT = 2000;

/** @param isLate whether there is no more time: what was found by then is answered */
export async function findPackages(
  store: Pick<PrStore, 'versions' | 'packagesOf' | 'maxima'>,
  text: string,
  limit: number,
  isLate: () => boolean,
): Promise<FoundPackages> {
  const packages: PackageCount[] = [];
  let complete = false;
  for (let after: string | null = null; packages.length <= limit; ) {
    const { found, last }: VersionSlice = await store.versions(text, after, LOOKED_AT);
    // One more than is shown says that there are more.
    const wanted = found.slice(0, limit + 1 - packages.length);
    if (wanted.length > 0) packages.push(...(await store.packagesOf(wanted, limit + 1 - packages.length)));
    complete = last === null;
    if (complete || isLate()) break;
    after = last;
  }
  const shown = packages.slice(0, limit);
  const maxima = await store.maxima(shown);
  return {
    packages: shown.map((each, i) => ({ ...each, max: maxima[i]! })),
    cut: packages.length > limit,
    complete: complete || packages.length > limit,
  };
}
