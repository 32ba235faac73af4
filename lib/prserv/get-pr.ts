import { increase, isBelow } from './revision.ts';
import type { UpstreamView } from './store.ts';

/** What is known about a package, for one checksum. */
export interface PackageState {
  /** The largest value of the (version, pkgarch), or null when there is none. */
  readonly max: string | null;
  /** The values of the checksum, or null when it is unknown. */
  readonly known: { readonly smallest: string; readonly largest: string } | null;
  /** The largest last number among the values one level under that value; undefined when there is none. */
  readonly largestUnder: (value: string) => bigint | undefined;
}

/** A value, and whether it is a new row to store. */
export interface Decision {
  readonly value: string;
  readonly isNew: boolean;
}

/**
 * The rules of docs/protocol.md (Commands of the PR service).
 * @param history answer what was given out before; without, a value never goes down
 * @param upstream what the upstream says, if there is one
 * @returns null when the upstream is away and nothing is known about the package: a fresh 0 could be given out twice
 */
export function decidePr(state: PackageState, history: boolean, upstream?: UpstreamView): Decision | null {
  if (!upstream) return decideLocally(state, history);
  if (upstream.kind === 'away') return decideAlone(state, history, upstream.heard?.under);
  const { max, under, value } = upstream;
  // Known only here: the local rule, now and later.
  if (max === null) return decideLocally(state, history);
  if (!state.known) return { value: value ?? nextUnder(under ?? max, state), isNew: true };
  if (history) return decideLocally(state, history);
  const own = raise(state.known.largest, state.max);
  const result = isBelow(own, max) ? (value === null ? nextUnder(under ?? max, state) : max) : own;
  return { value: result, isNew: result !== state.known.largest };
}

function decideLocally(state: PackageState, history: boolean): Decision {
  if (state.max === null) return { value: '0', isNew: true };
  if (!state.known) return { value: increase(state.max), isNew: true };
  if (history) return { value: state.known.smallest, isNew: false };
  const value = raise(state.known.largest, state.max);
  return { value, isNew: value !== state.known.largest };
}

/**
 * With the upstream away (docs/upstream.md): answers what needs no invention. If nothing was heard about
 * the package, its rows decide: the value after a dotted maximum goes beside it, under the same upstream value.
 */
function decideAlone(state: PackageState, history: boolean, heardUnder: string | undefined): Decision | null {
  if (!state.known && heardUnder !== undefined) return { value: nextUnder(heardUnder, state), isNew: true };
  return state.max === null ? null : decideLocally(state, history);
}

/** The largest value of a checksum, raised above all other values of the package. */
function raise(value: string, max: string | null): string {
  return max !== null && isBelow(value, max) ? increase(max) : value;
}

/** The next free value under an upstream's value: `1` → `1.0`, `1.1`, … */
function nextUnder(value: string, { largestUnder }: PackageState): string {
  return `${value}.${(largestUnder(value) ?? -1n) + 1n}`;
}
