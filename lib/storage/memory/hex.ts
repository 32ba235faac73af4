/**
 * Hashes as eight 32-bit words: 64 lower-case hex digits to words and back, without a string between. The words hold the
 * 32 bytes of the hash in their order on little-endian machines, so that what SQLite's unhex() gives is words already.
 */

/** Words of a hash, and digits of its text. */
export const HASH_WORDS = 8;
export const HASH_DIGITS = 64;

/** What a byte is worth as a lower-case hex digit; a bit above the lowest four says that it is none. */
const DIGIT = new Uint8Array(256).fill(0x10);
for (let digit = 0; digit < 16; digit++) DIGIT['0123456789abcdef'.charCodeAt(digit)] = digit;

/** The two digits of every byte, the first in the low half as it is written first. */
const DIGITS = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  const text = byte.toString(16).padStart(2, '0');
  DIGITS[byte] = text.charCodeAt(0) | (text.charCodeAt(1) << 8);
}

/**
 * Reads 64 digits at `at` into `words`.
 * @returns false when one of them is no lower-case hex digit; `words` then holds nothing of use
 */
export function readHash(bytes: Uint8Array, at: number, words: Int32Array): boolean {
  let wrong = 0;
  for (let word = 0; word < HASH_WORDS; word++, at += 8) {
    const a = DIGIT[bytes[at]!]!;
    const b = DIGIT[bytes[at + 1]!]!;
    const c = DIGIT[bytes[at + 2]!]!;
    const d = DIGIT[bytes[at + 3]!]!;
    const e = DIGIT[bytes[at + 4]!]!;
    const f = DIGIT[bytes[at + 5]!]!;
    const g = DIGIT[bytes[at + 6]!]!;
    const h = DIGIT[bytes[at + 7]!]!;
    wrong |= a | b | c | d | e | f | g | h;
    words[word] = (a << 4) | b | (c << 12) | (d << 8) | (e << 20) | (f << 16) | (g << 28) | (h << 24);
  }
  return wrong < 0x10;
}

/** Writes the 64 digits of the eight words at `from` to `at`. */
export function writeHash(words: Int32Array, from: number, bytes: Uint8Array, at: number): void {
  for (let word = from; word < from + HASH_WORDS; word++, at += 8) {
    const value = words[word]!;
    const a = DIGITS[value & 0xff]!;
    const b = DIGITS[(value >>> 8) & 0xff]!;
    const c = DIGITS[(value >>> 16) & 0xff]!;
    const d = DIGITS[value >>> 24]!;
    bytes[at] = a;
    bytes[at + 1] = a >> 8;
    bytes[at + 2] = b;
    bytes[at + 3] = b >> 8;
    bytes[at + 4] = c;
    bytes[at + 5] = c >> 8;
    bytes[at + 6] = d;
    bytes[at + 7] = d >> 8;
  }
}
