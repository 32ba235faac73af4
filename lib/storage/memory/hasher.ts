import { HASH_WORDS } from './hex.ts';

/** Hashes the eight words at `from` together with a number. */
export type Hasher = (words: Int32Array, from: number, tag: number) => number;

/** Words of the secret a hasher is made with. */
export const SECRET_WORDS = 2 * HASH_WORDS + 1;

/**
 * A hash of keys that nobody without the secret can make collide often: NH (Black and others, "UMAC", 1999) over 16-bit
 * halves, where two given keys collide with a probability of 2^-16 at most. Otherwise a client that picks its taskhashes
 * could make every look-up walk through all of them.
 */
export function createHasher(secret: Int32Array): Hasher {
  return (words, from, tag) => {
    let sum = secret[2 * HASH_WORDS]! ^ Math.imul(tag + 1, 0x9e3779b1);
    for (let i = 0; i < HASH_WORDS; i++) {
      const word = words[from + i]!;
      const low = (word + secret[2 * i]!) & 0xffff;
      const high = ((word >>> 16) + secret[2 * i + 1]!) & 0xffff;
      sum = (sum + Math.imul(low, high)) | 0;
    }
    sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
    sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
    return sum ^ (sum >>> 16);
  };
}
