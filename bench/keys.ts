/** The hash method of every key the benchmarks store and ask for. */
export const METHOD = 'bench.OEOuthashBasic';

/** Which of a key's three hashes: the numbers go into the derivation. */
export const TASKHASH = 1;
export const UNIHASH = 2;
export const OUTHASH = 3;

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const TWO_32 = 2 ** 32;

/**
 * Writes the 64 hex digits of hash `kind` of key number `key` at `at`. The derivation is the C load generator's
 * (four splitmix64 steps), so that a database seeded for one can be asked by the other. In 32-bit halves: seeding ten
 * million rows takes 120 million steps, and BigInt would need minutes for them.
 * @param key an integer from 0 to 2 ** 49
 */
export function writeHash(out: Uint8Array, at: number, key: number, kind: number): void {
  for (let word = 0; word < 4; word++) {
    const seed = key * 8 + kind * 2 ** 40 + word * 2 + 1;
    let low = (seed % TWO_32) + 0x7f4a7c15;
    let high = (Math.floor(seed / TWO_32) + 0x9e3779b9 + (low >= TWO_32 ? 1 : 0)) >>> 0;
    low >>>= 0;
    // x ^= x >> 30; x *= 0xbf58476d1ce4e5b9
    low ^= (low >>> 30) | (high << 2);
    high ^= high >>> 30;
    high = multiplyHigh(low >>> 0, high, 0x1ce4e5b9, 0xbf58476d);
    low = Math.imul(low, 0x1ce4e5b9);
    // x ^= x >> 27; x *= 0x94d049bb133111eb
    low ^= (low >>> 27) | (high << 5);
    high ^= high >>> 27;
    high = multiplyHigh(low >>> 0, high, 0x133111eb, 0x94d049bb);
    low = Math.imul(low, 0x133111eb);
    // x ^= x >> 31
    low ^= (low >>> 31) | (high << 1);
    high ^= high >>> 31;
    for (let digit = 0; digit < 8; digit++) {
      const shift = 28 - digit * 4;
      out[at + word * 16 + digit] = DIGITS[(high >>> shift) & 15]!;
      out[at + word * 16 + 8 + digit] = DIGITS[(low >>> shift) & 15]!;
    }
  }
}

/** The upper half of the low 64 bits of (high, low) × (otherHigh, otherLow), all of them 32-bit halves. */
function multiplyHigh(low: number, high: number, otherLow: number, otherHigh: number): number {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = otherLow & 0xffff;
  const d = otherLow >>> 16;
  const middle = b * c + ((a * c) >>> 16);
  const carried = a * d + (middle & 0xffff);
  // (middle >>> 16) would cut the 33rd bit off: these sums stay below 2 ** 33, and floats are exact to 2 ** 53.
  const top = b * d + Math.floor(middle / 65536) + Math.floor(carried / 65536);
  return (top + Math.imul(high, otherLow) + Math.imul(low, otherHigh)) >>> 0;
}

/** Hash `kind` of key number `key` as text. */
export function hashOf(key: number, kind: number): string {
  const out = Buffer.alloc(64);
  writeHash(out, 0, key, kind);
  return out.toString('latin1');
}
