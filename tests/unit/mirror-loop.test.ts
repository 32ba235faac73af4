import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planPackage, rowsOf } from '../../lib/prserv/pull/rules.ts';
import type { ChecksumValue } from '../../lib/prserv/store.ts';

const ROWS = fc.uniqueArray(
  fc.record({
    checksum: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    value: fc.constantFrom('0', '1', '2', '3', '4', '1.0', '2.1', '10'),
  }),
  { maxLength: 8, selector: ({ checksum, value }) => `${checksum} ${value}` },
);

/** What a server has of a package after a run of its mirror. */
function mirrored(ours: readonly ChecksumValue[], theirs: readonly ChecksumValue[]): readonly ChecksumValue[] {
  const group = { version: 'p-1-r0', pkgarch: 'all', rows: theirs };
  return [...ours, ...rowsOf(planPackage(ours, group, 'keep'))];
}

test('servers that mirror each other, in a ring of any length, come to rest: no row is added for ever, and no value raised', () =>
  fc.assert(
    fc.property(fc.array(ROWS, { minLength: 2, maxLength: 4 }), (start) => {
      const given = new Set(start.flat().map(({ checksum, value }) => `${checksum} ${value}`));
      let servers: (readonly ChecksumValue[])[] = start;
      for (let round = 0; ; round++) {
        const before = servers.map(({ length }) => length);
        servers = [...servers];
        for (const i of servers.keys()) servers[i] = mirrored(servers[i]!, servers[(i + 1) % servers.length]!);
        for (const { checksum, value } of servers.flat())
          assert.ok(given.has(`${checksum} ${value}`), `${checksum} ${value} was given out by no server`);
        if (servers.every(({ length }, i) => length === before[i])) return;
        // Each takes what its neighbour has: what one has is with all after as many rounds as there are servers.
        assert.ok(round <= start.length + 1, `not at rest after ${round} rounds`);
      }
    }),
    { numRuns: 500 },
  ));
