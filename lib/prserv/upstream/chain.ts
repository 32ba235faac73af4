import { isBelow } from '../revision.ts';
import type { UpstreamView } from '../store.ts';

/**
 * What a server of a chain tells the server below it about a package: its own rows and those of all servers above,
 * as far as they answered. Null means unknown.
 */
export interface ChainAnswer {
  /** The largest value of the package, here or above. */
  readonly max: string | null;
  /** The value under which the server below gives its new ones: `3.1` → `3.1.0`, `3.1.1`, … Null with `max`. */
  readonly under: string | null;
  /** The value of the checksum, here or otherwise above. */
  readonly value: string | null;
  /** A server above did not answer: what is null here may be known there, and the maximum may be larger. */
  readonly away: boolean;
}

/** What was heard about a package from above; null: nobody there knew it. */
export type Heard = { readonly max: string; readonly under: string } | null;

/**
 * Combines what is known here with what is known above.
 * @param above what the upstream says; null if there is none
 */
export function answerBelow(
  own: { max: string | null; value: string | null },
  above: UpstreamView | null,
): ChainAnswer {
  const away = above !== null && (above.kind === 'away' || above.away);
  const heard = above === null ? null : heardIn(above);
  const value = own.value ?? (above?.kind === 'answered' ? above.value : null);
  if (heard === null) return { max: own.max, under: own.max, value, away };
  // This server's next value would be the first under that from above. It is this server's to give, so the server
  // below gives its values under that.
  if (own.max === null || isBelow(own.max, heard.max))
    return { max: heard.max, under: `${heard.under}.0`, value, away };
  return { max: own.max, under: own.max, value, away };
}

function heardIn(above: UpstreamView): Heard {
  if (above.kind === 'away') return above.heard ?? null;
  return above.max === null ? null : { max: above.max, under: above.under! };
}

/**
 * The view by which get-pr decides.
 * @param said the upstream's answer; null: it did not answer
 * @param heard what was heard about the package before; undefined: nothing yet
 */
export function viewOf(said: ChainAnswer | null, heard: Heard | undefined): UpstreamView {
  if (!said || (said.max === null && said.away)) return { kind: 'away', heard };
  const { max, under, value, away } = said;
  // If a server above is away, what was heard from it before still holds.
  if (away && heard && max !== null && isBelow(max, heard.max)) return { kind: 'answered', ...heard, value, away };
  return { kind: 'answered', max, under, value, away };
}
