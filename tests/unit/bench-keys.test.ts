import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, OUTHASH, TASKHASH, UNIHASH } from '../../bench/keys.ts';

/** splitmix64 as the C load generator writes it, in exact integers. */
function expectedHash(key: number, kind: number): string {
  const cut = (x: bigint) => BigInt.asUintN(64, x);
  const mix = (seed: bigint) => {
    let x = cut(seed + 0x9e3779b97f4a7c15n);
    x = cut((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
    x = cut((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
    return x ^ (x >> 31n);
  };
  const words = [0n, 1n, 2n, 3n].map((w) => mix(BigInt(key) * 8n + BigInt(kind) * 0x10000000000n + w * 2n + 1n));
  return words.map((word) => word.toString(16).padStart(16, '0')).join('');
}

test('the taskhash and unihash of a key are those the C load generator prints', () => {
  // loadgen - csv -n 2; loadgen - csv -n 1 -o 123456789012
  const printed: [number, string, string][] = [
    [
      0,
      '6d65027660c4cdc584f9854797775b8b486e851c593533bab94083aa31091a4e',
      '740bd00a609be7ac3e3822617a41eec2614d4d144490faa0b0ccfce0e215e63e',
    ],
    [
      1,
      '7ca9e4ff6ad0591e49c7f538a52c801029e9ac068cb51c147f38fc8f91707183',
      'ee079e131e0d625f839ef9a3b653ce98da24f5cf20f615826f45b0d229917732',
    ],
    [
      123456789012,
      'af7fc5166c6d5170c7606f0118ab00dbe1611d3ac3abd57149b54d61ada0e656',
      '1ab7de82f4c5eb9687d395a78322e8ee1f5aa40465960d743181f07665827f19',
    ],
  ];
  for (const [key, taskhash, unihash] of printed) {
    assert.equal(hashOf(key, TASKHASH), taskhash);
    assert.equal(hashOf(key, UNIHASH), unihash);
  }
});

test('the derivation in halves loses no carry', () => {
  for (let i = 0; i < 5_000; i++) {
    const key = i < 2_500 ? i : i * 98_765_431;
    for (const kind of [TASKHASH, UNIHASH, OUTHASH]) assert.equal(hashOf(key, kind), expectedHash(key, kind));
  }
});
