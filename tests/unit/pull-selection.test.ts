import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { matchesGlob } from '../../lib/pull/glob.ts';
import {
  nameOfSelection,
  parseSince,
  recipeOf,
  type Selection,
  wantsOuthash,
  wantsValue,
} from '../../lib/pull/selection.ts';

const ALL: Selection = { hashes: true, prs: true, packages: null, pkgarch: null, methods: null, since: null };

describe('a pattern for names', () => {
  test('matches as the regular expression that it stands for', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '-'), { maxLength: 8 }).map((list) => list.join(''));
    const patterns = fc.array(fc.constantFrom('a', 'b', '-', '*', '?'), { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(letters, patterns, (text, pattern) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        assert.equal(matchesGlob(text, pattern), expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('takes other characters as they are, and is not slowed down by many stars', () => {
    assert.ok(matchesGlob('gtk+3.0', 'gtk+*'));
    assert.ok(!matchesGlob('gtkk3x0', 'gtk+3.0'));
    assert.ok(!matchesGlob('a'.repeat(1000), `${'*a'.repeat(100)}b`));
  });
});

describe('which rows are wanted', () => {
  for (const [version, recipe] of [
    ['busybox-1.36.1-r0', 'busybox'],
    ['gtk+3-3.24-r1', 'gtk+3'],
    ['packagegroup-core-boot-1.0-r17', 'packagegroup-core-boot'],
    ['odd', 'odd'],
    ['odd-one', 'odd-one'],
  ] as const)
    test(`${version} is of the recipe ${recipe}`, () => assert.equal(recipeOf(version), recipe));

  test('of PR values by recipe and architecture', () => {
    const row = { version: 'busybox-1.36.1-r0', pkgarch: 'core2-64' };
    assert.ok(wantsValue(ALL, row));
    assert.ok(wantsValue({ ...ALL, packages: 'busy*' }, row));
    assert.ok(!wantsValue({ ...ALL, packages: 'busybox-1*' }, row));
    assert.ok(!wantsValue({ ...ALL, pkgarch: 'all' }, row));
  });

  test('of reports by recipe, method and time, in both forms that files have', () => {
    const row = (created: string, PN: string | null) => ['m', 't', 'o', created, null, PN, null, null, null, null];
    const since = parseSince('2026-11-21T12:00:00');
    const time: Selection = { ...ALL, since };
    assert.ok(wantsOuthash(time, row('2026-11-21T12:00:00.000000+00:00', null)));
    assert.ok(wantsOuthash(time, row('2026-11-21 12:00:01', null)));
    assert.ok(!wantsOuthash(time, row('2026-11-21 11:59:59.999999', null)));
    assert.ok(!wantsOuthash({ ...ALL, packages: 'busybox' }, row('2026-11-21T12:00:00.000000+00:00', null)));
    assert.ok(wantsOuthash({ ...ALL, packages: 'busybox' }, row('2026-11-21T12:00:00.000000+00:00', 'busybox')));
    assert.ok(!wantsOuthash({ ...ALL, methods: ['other'] }, row('2026-11-21T12:00:00.000000+00:00', null)));
  });

  for (const [text, wanted] of [
    ['17', { id: 17 }],
    ['2026-11-21', { time: '2026-11-21T00:00:00.000' }],
    ['2026-11-21 12:30', { time: '2026-11-21T12:30:00.000' }],
    ['2026-11-21T12:30:00Z', { time: '2026-11-21T12:30:00.000' }],
    ['2026-11-21T12:30:00+02:00', { time: '2026-11-21T10:30:00.000' }],
    ['2026-13-21', null],
    ['yesterday', null],
    ['-1', null],
  ] as const)
    test(`since ${text}`, () => assert.deepEqual(parseSince(text), wanted));

  test('a selection has the same name in whatever order its methods come', () => {
    const name = (more: Partial<Selection>) => nameOfSelection({ ...ALL, ...more });
    assert.equal(name({ methods: ['a', 'b'] }), name({ methods: ['b', 'a'] }));
    assert.equal(name({}), name({ pkgarch: 'all', prs: false }), 'PR values are none of its business');
    assert.notEqual(name({}), name({ packages: '*' }));
    assert.notEqual(name({ methods: ['a'] }), name({}));
  });
});
