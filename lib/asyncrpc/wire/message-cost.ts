import { ProtocolError } from '../../errors.ts';
import { LimitError } from '../limits.ts';

/** What V8 keeps for each part of a JSON value (64-bit, measured). A text also costs its characters. */
const OBJECT_BYTES = 56;
const LIST_BYTES = 48;
const SLOT_BYTES = 8;
const TEXT_BYTES = 16;
const NUMBER_BYTES = 16;

/** Every message may cost this much: short ones have more structure than text. */
const FREE_BYTES = 1024 * 1024;
/** Longer ones may cost at most this many times their length. */
const MAX_RATIO = 4;
/** The most that one character can cost: `{},` makes an object and a slot. */
const MOST_A_CHARACTER = (OBJECT_BYTES + 2 * SLOT_BYTES) / 2;

/**
 * Measures what a JSON text will cost as objects before it is parsed, so that a hostile one is never built in memory.
 * @throws ProtocolError when it is nested too deep, has too many keys, or would cost more than MAX_RATIO times its length
 */
export function measureJson(text: string, maxDepth: number, maxKeys: number): void {
  // A shorter text cannot exceed any limit: ordinary requests are not measured.
  const short = text.length <= 2 * maxDepth && text.length <= 4 * maxKeys;
  if (short && text.length * MOST_A_CHARACTER <= FREE_BYTES) return;
  let depth = 0;
  let keys = 0;
  let cost = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const from = i;
        i = closingQuote(text, from);
        cost += TEXT_BYTES + Math.max(SLOT_BYTES, i - from);
        break;
      }
      case 0x2e: // '.'
        cost += NUMBER_BYTES;
        break;
      case 0x2c: // ','
        cost += SLOT_BYTES;
        break;
      case 0x3a: // ':'
        cost += SLOT_BYTES;
        if (++keys > maxKeys) throw new LimitError('maxJsonKeys', `JSON with more than ${maxKeys} keys`);
        break;
      case 0x5b: // '['
        cost += LIST_BYTES;
        if (++depth > maxDepth) throw new LimitError('maxJsonDepth', `JSON nested deeper than ${maxDepth}`);
        break;
      case 0x7b: // '{'
        cost += OBJECT_BYTES;
        if (++depth > maxDepth) throw new LimitError('maxJsonDepth', `JSON nested deeper than ${maxDepth}`);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
    // Checked on the way, so that a text that costs too much is not scanned to its end.
    if (cost > FREE_BYTES && cost > MAX_RATIO * i)
      throw new ProtocolError(
        `JSON that would take more than ${MAX_RATIO} times its length in memory: too many values`,
      );
  }
}

/**
 * Where the text that starts at `from` ends. A siginfo has megabytes and few quotes, and an import as many quotes as
 * values: indexOf finds those fastest, and only an odd number of backslashes before one escapes it.
 */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === 0x5c) before--;
    if ((at - before) % 2 === 0) return at;
  }
  return text.length;
}
