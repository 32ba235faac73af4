import { object, TEXT } from '../../asyncrpc/schemas.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { PrCommandRow, PrContext } from '../context.ts';
import { findPackages } from '../find-packages.ts';
import { READ } from '../permissions.ts';
import { compareRevisions } from '../revision.ts';
import type { PackageKey, PrRow, UpstreamView } from '../store.ts';

const MOST_PACKAGES = 500;
const DEFAULT_PACKAGES = 100;
/** Of a version: more than there are architectures. */
const MOST_PKGARCHS = 50;
/** Of a package: more than a package is built in its life. */
const MOST_VALUES = 1000;
/** Of all values of a version, and what each takes beside its texts: whoever may ask for values chooses how long those are. */
const MOST_CHARS = 512 * 1024;
const VALUE_CHARS = 72;

/** Packages whose version (PN-PV-PR) has the text in it, case as it is. */
async function find(
  { store, searches }: PrContext,
  { text, limit = DEFAULT_PACKAGES }: { text: string; limit?: number },
) {
  const { packages, cut, complete } = await searches.run((isLate) => findPackages(store, text, limit, isLate));
  return { text, packages: packages.map((each) => ({ ...each })), cut, complete };
}

/** All values of a version, per architecture, and what the upstream has of it; null where nothing is known. */
async function show({ store, upstream }: PrContext, { version }: { version: string }): Promise<Json> {
  const packages = await store.packagesOf([version], MOST_PKGARCHS);
  if (packages.length === 0) return null;
  const pages = await pagesOf(store, packages);
  const rows = pages.flatMap((page) => page.rows);
  const [maxima, above, times] = await Promise.all([
    store.maxima(packages),
    upstream ? viewsOf(upstream, packages, pages) : null,
    store.storedAfter(rows),
  ]);
  const timeOf = new Map(rows.map((row, i) => [row, times[i]!]));
  return {
    version,
    pkgarchs: packages.map(({ pkgarch }, i) => ({
      pkgarch,
      max: maxima[i]!,
      values: valuesOf(pages[i]!.rows, timeOf),
      cut: pages[i]!.cut,
      upstream: above && told(above[i]!),
    })),
  };
}

interface ValuesPage {
  readonly rows: readonly PrRow[];
  readonly cut: boolean;
}

/** The values of packages, one after the other; each has the same share of what may be told, and what those before it left. */
async function pagesOf(store: PrContext['store'], packages: readonly PackageKey[]): Promise<readonly ValuesPage[]> {
  const pages: ValuesPage[] = [];
  let left = MOST_CHARS;
  for (const [i, { version, pkgarch }] of packages.entries()) {
    const found = await store.page({ version, pkgarch, checksum: null }, null, MOST_VALUES + 1);
    let share = left / (packages.length - i);
    const rows: PrRow[] = [];
    for (const row of found) {
      const chars = row.checksum.length + row.value.length + VALUE_CHARS;
      if (rows.length === MOST_VALUES || chars > share) break;
      share -= chars;
      left -= chars;
      rows.push(row);
    }
    pages.push({ rows, cut: rows.length < found.length });
  }
  return pages;
}

/** In their order, which is that in which they were given. */
function valuesOf(rows: readonly PrRow[], timeOf: ReadonlyMap<PrRow, string | null>) {
  return [...rows]
    .sort((a, b) => compareRevisions(a.value, b.value) || (a.checksum < b.checksum ? -1 : 1))
    .map((row) => ({ checksum: row.checksum, value: row.value, not_before: timeOf.get(row)! }));
}

/** It is asked as for get-pr, and answers in the time of a look-up or counts as away. */
function viewsOf(
  upstream: NonNullable<PrContext['upstream']>,
  packages: readonly PackageKey[],
  pages: readonly ValuesPage[],
): Promise<readonly UpstreamView[]> {
  return upstream.views(
    packages.map(({ version, pkgarch }, i) => ({
      version,
      pkgarch,
      checksum: pages[i]!.rows[0]?.checksum ?? 'none',
      history: false,
    })),
  );
}

const told = (view: UpstreamView) =>
  view.kind === 'answered' ? { state: 'answered', max: view.max } : { state: 'away' };

/** What a person looks up (docs/protocol.md). */
export const PR_FIND_COMMANDS: Readonly<Record<string, PrCommandRow>> = {
  'find-packages': {
    needs: [],
    users: [READ],
    isLong: () => true,
    schema: object({ text: TEXT, limit: { type: 'integer', minimum: 1, maximum: MOST_PACKAGES } }, ['text']),
    handle: find,
  },
  'show-package': {
    needs: [],
    users: [READ],
    isLong: () => true,
    schema: object({ version: TEXT }),
    handle: show,
  },
};
