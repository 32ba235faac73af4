import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type CitedTest, citedTests, ROOT, readDocument, tableRows, titlesIn } from './docs-helpers.ts';

/** Pages whose every line of a table is held by a test, which its last column names. */
const PAGES = ['docs/reliability.md', 'docs/security.md'];

/** Why a test that a page names is none; null where it is there. */
function absence({ file, title }: CitedTest): string | null {
  if (!fs.existsSync(path.join(ROOT, file))) return `no file ${file}`;
  return titlesIn(readDocument(file)).some((each) => each.test(title)) ? null : `no test “${title}” in ${file}`;
}

for (const page of PAGES) {
  describe(`what ${page} promises`, () => {
    const text = readDocument(page);

    test('is held by a test in every row', () => {
      const rows = tableRows(text);
      assert.ok(rows.length > 20, 'rows are found');
      const without = rows.filter((row) => citedTests(row.at(-1)!).length === 0).map(([what]) => what);
      assert.deepEqual(without, []);
    });

    test('is held by tests that are there', () => {
      assert.deepEqual(
        citedTests(text)
          .map(absence)
          .filter((why) => why !== null),
        [],
      );
    });

    test('is cited in the form that is read: a file, a colon, titles between curly quotes', () => {
      const files = [...text.matchAll(/`tests\/[^`]*`/g)].length;
      const titles = [...text.matchAll(/“/g)].length;
      const cited = citedTests(text);
      assert.deepEqual([files, titles], [[...text.matchAll(/`tests\/[\w./-]+\.ts`: “/g)].length, cited.length]);
    });
  });
}

describe('a test that is named', () => {
  const source = [
    "test('a plain one', () => {});",
    'describe("it\'s", () => {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a source that is read
    "  test(`a ${kind ? 'b' : 'c'} of many in a row`, run);",
    '  test(name, run);',
    '});',
  ].join('\n');

  test('is found by its whole title, with what varies left open', () => {
    const found = (title: string) => titlesIn(source).some((each) => each.test(title));
    assert.ok(['a plain one', "it's", 'a … of many in a row'].every(found));
    assert.ok(!['a plain', 'plain one', 'a of many in a row', 'name'].some(found));
  });

  test('and is not there, is told', () => {
    assert.match(absence({ file: 'tests/unit/no.test.ts', title: 'a' })!, /no file/);
    assert.match(absence({ file: 'tests/unit/docs-held.test.ts', title: 'and is gone' })!, /no test “and is gone”/);
  });
});
