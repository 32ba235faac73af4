/** A part of a text from elsewhere: as it is, or the name of a character that would not be seen, or would do something. */
export interface TextPart {
  readonly text: string;
  readonly isEscape: boolean;
}

/**
 * Control characters, what turns the direction of text around, what has no width, and surrogates without their half: whoever
 * wrote them could make one name look like another.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** The parts of a text, with every unseen character named: `\n`, `\u{202e}`. */
export function visibleParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const found of text.matchAll(UNSEEN)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), isEscape: false });
    parts.push({ text: nameOf(found[0]), isEscape: true });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), isEscape: false });
  return parts;
}

/** The same as one text, for titles and labels. */
export function visible(text: string): string {
  return text.replace(UNSEEN, nameOf);
}

function nameOf(character: string): string {
  return SHORT[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** A text cut to a length that a page can show; what is cut off is counted in `more`. No character is cut in two. */
export function cut(text: string, most: number): { readonly text: string; readonly more: number } {
  if (text.length <= most) return { text, more: 0 };
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? most - 1 : most;
  return { text: text.slice(0, end), more: text.length - end };
}

/** The first characters of a hash, enough to tell it from others on a page. */
export function shortHash(hash: string): string {
  return /^[0-9a-f]{20,}$/.test(hash) ? `${hash.slice(0, 12)}…` : hash;
}
