import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { documents, ROOT, readDocument } from './docs-helpers.ts';

/** Words that an engineer in a hurry would not write, and what that would be instead. */
const WORDS: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\bbesides\b/i, 'also'],
  [/\banew\b/i, 'again'],
  [/\bnought\b/i, 'zero, nothing'],
  [/\bor else\b|, else\b(?! if)/i, 'otherwise'],
  [/\b(is|are) to be\b/i, 'must be, or a plain verb'],
  [/\bsays? of (itself|themselves)\b/i, 'reports'],
];

test('texts are in plain English: fix, also, otherwise, again, must, reports', () => {
  const sources = ['lib', 'bin', 'web/src'].flatMap((top) =>
    fs
      .readdirSync(path.join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.c?tsx?$/.test(name))
      .map((name) => `${top}/${name}`),
  );
  const found: string[] = [];
  for (const file of [...sources, ...documents().filter((page) => !page.startsWith('tests/'))]) {
    for (const [i, line] of readDocument(file).split('\n').entries())
      for (const [word, instead] of WORDS)
        if (word.test(line)) found.push(`${file}:${i + 1}: ${word.exec(line)![0]}: write ${instead}`);
  }
  assert.deepEqual(found, []);
});
