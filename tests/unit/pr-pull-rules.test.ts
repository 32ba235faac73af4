import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ON_CONFLICT, type OnConflict, type PackagePlan, planPackage, rowsOf } from '../../lib/prserv/pull/rules.ts';
import { canonical, compareRevisions, isBelow, largest } from '../../lib/prserv/revision.ts';
import type { ChecksumValue } from '../../lib/prserv/store.ts';
import { addRow, noRows } from '../../lib/storage/memory/package-rows.ts';
import { decideAll } from '../../lib/storage/memory/pr-decision.ts';

const PKG = { version: 'pkg-1.0-r0', pkgarch: 'core2-64' };
type Rows = readonly ChecksumValue[];

const plan = (ours: Rows, source: Rows, onConflict: OnConflict = 'fail') =>
  planPackage(ours, { ...PKG, rows: source }, onConflict);

/** Rows from `checksum:value …`. */
const rows = (text: string): ChecksumValue[] =>
  text
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      const [checksum, value] = each.split(':') as [string, string];
      return { checksum, value };
    });
const text = (list: Rows) => list.map(({ checksum, value }) => `${checksum}:${value}`).join(' ');
const kinds = ({ conflicts }: PackagePlan) =>
  conflicts.map(({ checksum, value, kind, against }) => `${checksum}:${value} ${kind} ${against}`);
const raised = (made: PackagePlan) => made.raised.map(({ checksum, from, to }) => `${checksum} ${from}->${to}`);

/** What a client is answered by a server with these rows. */
function getPr(known: Rows, checksum: string, history: boolean): string {
  const state = noRows();
  for (const row of known) addRow(state, row.checksum, row.value);
  const { values } = decideAll([{ ...PKG, checksum, history }], () => state, { checksums: [], prefixes: [] });
  return values[0] as string;
}

/** What a server has given to a checksum: as test-pr answers. */
function given(known: Rows, checksum: string, history: boolean): string | null {
  const values = known.filter((row) => row.checksum === checksum).map((row) => row.value);
  return values.length === 0 ? null : values.sort(compareRevisions).at(history ? 0 : -1)!;
}

const maxOf = (known: Rows) => known.map(({ value }) => value).reduce<string | null>(largest, null);

describe('what a pull does with a package', () => {
  for (const [what, ours, source, fresh, equal] of [
    ['all of it is new here', '', 'a:0 b:1', 'a:0 b:1', 0],
    ['the source has gone on', 'a:0 b:1', 'a:0 b:1 c:2 d:3', 'c:2 d:3', 2],
    ['the source has nothing new, and is behind', 'a:0 b:1 c:2', 'a:0 b:1', '', 2],
    ['a checksum came back there, and got a new value', 'a:0 b:1', 'a:0 b:1 a:2', 'a:2', 2],
    ['older values come in too, if nothing speaks against it', 'e:4', 'a:0 b:1 e:4 f:5', 'a:0 b:1 f:5', 1],
    ['values that differ only in zeros are one', 'a:01', 'a:1 b:02', 'b:02', 1],
    ['dotted values are in their order', 'a:1 b:1.9', 'a:1 b:1.9 c:1.10', 'c:1.10', 2],
    ['a value that is told twice counts once', 'a:0', 'a:0 b:1 b:1', 'b:1', 1],
  ] as const)
    test(what, () => {
      for (const onConflict of ON_CONFLICT) {
        const made = plan(rows(ours), rows(source), onConflict);
        assert.deepEqual(kinds(made), []);
        assert.equal(text(rowsOf(made)), fresh);
        assert.equal(made.equal, equal);
      }
    });

  for (const [what, ours, source, met, kept, above] of [
    ['one value for two checksums', 'x:0 y:1', 'x:0 b:1 c:2', ['b:1 same-value y'], 'c:2', ['b 1->3']],
    ['two values of one checksum, ours the larger', 'a:7', 'a:3 b:8', ['a:3 two-values 7'], 'b:8', []],
    // The source's value is kept beside ours, so that the next one is above it.
    ['two values of one checksum, ours the smaller', 'a:1', 'a:5', ['a:5 two-values 1'], 'a:5', ['a 5->5']],
    [
      'two of them, of which the first must be raised',
      'a:1 x:2',
      'b:2 a:5',
      ['b:2 same-value x', 'a:5 two-values 1'],
      'a:5',
      ['b 2->6', 'a 5->7'],
    ],
    ['a smaller value of a checksum comes to light', 'a:1', 'a:0 a:1', ['a:0 two-values 1'], '', []],
    [
      'the source is below our maximum',
      'x:9',
      'a:0 b:1',
      ['a:0 maximum-below 9', 'b:1 maximum-below 9'],
      '',
      ['a 0->10', 'b 1->11'],
    ],
    ['the source gives a value to two itself', '', 'a:3 b:3', ['b:3 same-value a'], 'a:3', ['b 3->4']],
    ['equal but for zeros', 'a:01', 'b:1', ['b:1 same-value a'], '', ['b 1->2']],
  ] as const)
    test(`a conflict: ${what}`, () => {
      for (const onConflict of ON_CONFLICT)
        assert.deepEqual(kinds(plan(rows(ours), rows(source), onConflict)), met, onConflict);
      assert.equal(text(rowsOf(plan(rows(ours), rows(source), 'keep'))), kept);
      assert.deepEqual(raised(plan(rows(ours), rows(source), 'raise')), above);
    });

  test('a row that no server takes is refused, and the rest counts without it', () => {
    const made = plan(rows('a:0'), rows('b:1 c:999999999 d:x'), 'keep');
    assert.deepEqual(
      made.conflicts.map(({ checksum, kind }) => `${checksum} ${kind}`),
      ['c refused', 'd refused'],
    );
    assert.equal(text(rowsOf(made)), 'b:1');
  });
});

const checksum = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const whole = fc.nat(7).map(String);
const dotted = fc.constantFrom('0', '1', '2', '3', '0.0', '1.0', '1.1', '1.9', '1.10', '2.0.5', '3.1', '01');
const table = (value: fc.Arbitrary<string>) => fc.array(fc.record({ checksum, value }), { maxLength: 8 });
/** What clients have made of a database: asked for checksums in some order, with history and without. */
const grown = fc
  .array(fc.tuple(checksum, fc.boolean()), { maxLength: 12 })
  .map((asked) => asked.reduce<Rows>((known, [one, history]) => grow(known, one, getPr(known, one, history)), []));
const grow = (known: Rows, one: string, value: string): Rows =>
  known.some((row) => row.checksum === one && row.value === value) ? known : [...known, { checksum: one, value }];
const database = fc.oneof(grown, table(whole), table(dotted));
const mode = fc.constantFrom<OnConflict>(...ON_CONFLICT);

/** Our rows after a pull; null where it is refused. */
function pulled(ours: Rows, source: Rows, onConflict: OnConflict): { after: Rows; added: Rows } | null {
  const made = plan(ours, source, onConflict);
  if (onConflict === 'fail' && made.conflicts.length > 0) return null;
  return { after: [...ours, ...rowsOf(made)], added: rowsOf(made) };
}

function holds(check: (ours: Rows, source: Rows, result: { after: Rows; added: Rows }, how: OnConflict) => void): void {
  fc.assert(
    fc.property(database, database, mode, (ours, source, how) => {
      const result = pulled(ours, source, how);
      if (result) check(ours, source, result, how);
    }),
    { numRuns: 2000 },
  );
}

describe('a pull between any two databases', () => {
  test('a checksum that clients were given keeps its value with history', () => {
    holds((ours, _source, { after }) => {
      for (const row of ours) assert.equal(getPr(after, row.checksum, true), getPr(ours, row.checksum, true));
    });
  });

  test('without history no checksum gets less than it was given, or than any was given here', () => {
    holds((ours, source, { after }) => {
      for (const row of [...ours, ...source]) {
        const now = getPr(after, row.checksum, false);
        const before = given(ours, row.checksum, false);
        assert.ok(before === null || !isBelow(now, before));
        const max = maxOf(ours);
        assert.ok(max === null || !isBelow(now, max));
      }
    });
  });

  test('without history, and with whole numbers, a client gets no less than it would have got before', () => {
    fc.assert(
      fc.property(fc.oneof(grown, table(whole)), fc.oneof(grown, table(whole)), mode, (ours, source, how) => {
        const result = pulled(ours, source, how);
        for (const row of result ? [...ours, ...source] : [])
          assert.ok(
            !isBelow(getPr(result!.after, row.checksum, false), ours.length ? getPr(ours, row.checksum, false) : '0'),
          );
      }),
      { numRuns: 2000 },
    );
  });

  test('what comes in gives no value to two checksums', () => {
    holds((_ours, _source, { after, added }) => {
      for (const row of added) {
        const owners = after.filter(({ value }) => compareRevisions(value, row.value) === 0);
        assert.deepEqual([...new Set(owners.map((each) => each.checksum))], [row.checksum]);
      }
    });
  });

  test('an unknown checksum gets a value above everything in both', () => {
    holds((ours, source, { after }) => {
      for (const history of [true, false])
        for (const { value } of [...ours, ...source]) assert.ok(isBelow(value, getPr(after, 'new', history)));
    });
  });

  test('with raise no checksum of the source is left with less than it has there', () => {
    holds((_ours, source, { after }, how) => {
      if (how !== 'raise') return;
      for (const row of source) assert.ok(!isBelow(given(after, row.checksum, false)!, row.value));
    });
  });

  test('done again it adds nothing', () => {
    holds((_ours, source, { after }, how) => {
      assert.deepEqual(pulled(after, source, how)?.added ?? [], []);
    });
  });

  for (const count of [2, 3])
    test(`${count} servers that pull from each other, and all raise, come to rest`, () => {
      fc.assert(
        fc.property(fc.array(database, { minLength: count, maxLength: count }), (made) => {
          const servers: Rows[] = [...made];
          for (let round = 0; round < 6; round++) {
            const before = servers.flat().length;
            for (const at of servers.keys())
              for (const from of servers.keys())
                if (at !== from) servers[at] = pulled(servers[at]!, servers[from]!, 'raise')!.after;
            if (servers.flat().length === before) return;
          }
          assert.fail('each pull still stores something');
        }),
        { numRuns: 300 },
      );
    });

  test('rows in any order make the same plan', () => {
    const shuffled = database.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, shuffled, mode, ([ours, ours2], [source, source2], how) => {
        const [one, other] = [plan(ours, source, how), plan(ours2, source2, how)];
        const plain = (made: PackagePlan) => text(rowsOf(made).map((row) => ({ ...row, value: canonical(row.value) })));
        assert.equal(plain(one), plain(other));
        assert.equal(one.conflicts.length, other.conflicts.length);
      }),
      { numRuns: 500 },
    );
  });
});
