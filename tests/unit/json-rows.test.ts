import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Parsed, rowOf } from '../../lib/prserv/files/formats.ts';
import { readJsonRows } from '../../lib/prserv/files/json-rows.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('"', '\\', '\\"', '{', '}', ']', ',', '"}', '\n', 'datainfo', '💥'),
);
const row = fc.record({ version: text, pkgarch: text, checksum: text, value: fc.oneof(text, fc.nat()) });
const meta = fc.dictionary(text, fc.oneof(text, fc.array(fc.record({ name: text }))));

async function read(whole: string, size: number): Promise<Parsed[]> {
  async function* pieces() {
    const characters = [...whole];
    for (let at = 0; at < characters.length; at += size) yield characters.slice(at, at + size).join('');
  }
  const found: Parsed[] = [];
  for await (const parsed of readJsonRows(pieces())) found.push(parsed);
  return found;
}

const wholes = fc
  .tuple(fc.array(row, { maxLength: 6 }), meta, fc.boolean(), fc.constantFrom(undefined, 1))
  .map(([rows, metainfo, isList, space]) => ({
    rows,
    whole: JSON.stringify(isList ? rows : { metainfo, datainfo: rows }, null, space),
  }));

describe('JSON of PR rows', () => {
  test('is read a row at a time, in pieces of any size, as JSON.parse would read it', async () => {
    await fc.assert(
      fc.asyncProperty(wholes, fc.integer({ min: 1, max: 40 }), async ({ rows, whole }, size) => {
        assert.deepEqual(
          await read(whole, size),
          rows.map((each, i) => rowOf(each, i + 1)),
        );
      }),
    );
  });

  test('that was cut off anywhere ends with an error', async () => {
    await fc.assert(
      fc.asyncProperty(
        wholes,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async ({ whole }, share) => {
          const last = (await read(whole.slice(0, Math.floor(whole.length * share)), 8)).at(-1)!;
          assert.ok('error' in last, `${JSON.stringify(last)} of a part of ${whole}`);
        },
      ),
    );
  });

  for (const [whole, message] of [
    ['{"rows": []}', /expected a list of rows, or an object whose "datainfo" is one/],
    ['"text"', /expected a list of rows/],
    ['', /not JSON/],
    ['[{"version": "a"}', /version is missing|pkgarch is missing/],
    ['[1]', /not a JSON object/],
    ['[{} {}]', /version is missing/],
    ['[{"version": x}]', /not JSON/],
    ['[] []', /not JSON/],
    ['[{},]', /version is missing/],
  ] as const)
    test(`is not ${whole === '' ? 'nothing' : whole}`, async () => {
      const found = await read(whole, 4);
      assert.ok(found[0] && 'error' in found[0]);
      assert.match(found[0].error, message);
    });
});
