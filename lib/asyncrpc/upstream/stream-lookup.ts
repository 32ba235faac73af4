import { isKeyLine } from '../wire/stream-line.ts';
import type { OnAnswer } from './pending-lookups.ts';

/**
 * The answers to lines of a stream command, null where there is none. `onAnswer` gets each as it comes, before the promise
 * of them all resolves.
 */
export type StreamLookup = (
  lines: readonly string[],
  onAnswer?: OnAnswer<string>,
) => Promise<readonly (string | null)[]>;

/** Asks the lines that are just keys; others have no answer. */
export function onlyKeys(ask: StreamLookup): StreamLookup {
  return async (lines, onAnswer) => {
    if (lines.every(isKeyLine)) return ask(lines, onAnswer);
    const places = [...lines.keys()].filter((place) => isKeyLine(lines[place]!));
    const keys = places.map((place) => lines[place]!);
    const found = await ask(keys, (answer, i) => onAnswer?.(answer, places[i]!));
    const answers = new Array<string | null>(lines.length).fill(null);
    for (const [i, place] of places.entries()) answers[place] = found[i]!;
    return answers;
  };
}
