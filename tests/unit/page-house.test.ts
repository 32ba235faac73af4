import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { circlesOf, importsOf } from '../../scripts/imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = path.join(ROOT, 'web/src');
const BUILT = path.join(ROOT, 'dist/web');

const files = fs
  .readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(tsx?|css)$/.test(name))
  .map((name) => ({ name: `web/src/${name}`, source: fs.readFileSync(path.join(SOURCES, name), 'utf8') }));
const scripts = files.filter(({ name }) => !name.endsWith('.css'));

describe('the sources of the page', () => {
  test('are files and folders of a size that can be looked over', () => {
    assert.ok(files.length > 60, 'files are found');
    assert.deepEqual(
      files.filter(({ source }) => source.split('\n').length > 301).map(({ name }) => name),
      [],
    );
    const folders = new Map<string, number>();
    for (const { name } of files) folders.set(path.dirname(name), (folders.get(path.dirname(name)) ?? 0) + 1);
    assert.deepEqual(
      [...folders].filter(([, count]) => count > 16),
      [],
    );
  });

  test('have no circle of imports, and know nothing of the server', () => {
    const imports = scripts.flatMap(({ name, source }) => importsOf(name, source));
    assert.ok(imports.length > 100, 'imports are found');
    assert.deepEqual(circlesOf(imports), []);
    assert.deepEqual(
      imports.filter(({ target }) => /^(lib|bin)\//.test(target)).map(({ file, target }) => `${file} ${target}`),
      [],
    );
  });

  test('make no HTML of text, no style within an element, and name no other server', () => {
    const forbidden =
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\sstyle=|https?:\/\//;
    const found = scripts.flatMap(({ name, source }) => {
      const [text] = forbidden.exec(source) ?? [];
      return text ? [`${name}: ${text}`] : [];
    });
    assert.deepEqual(found, []);
    for (const { name, source } of files.filter((each) => each.name.endsWith('.css')))
      assert.doesNotMatch(source, /url\(|@import/, name);
  });
});

test('nothing on the page moves for those who do not want that', () => {
  for (const { name, source } of files.filter((each) => each.name.endsWith('.css'))) {
    const still = source.replaceAll(
      /@media \(prefers-reduced-motion: no-preference\) \{\n(?: {2}.*\n|\n)*\}|@keyframes .* \{\n(?: {2}.*\n|\n)*\}/g,
      '',
    );
    assert.doesNotMatch(still, /\b(?:animation|transition|scroll-behavior)\b/, name);
  }
});

describe('the page as it is built', () => {
  test('is under 120 KB, compressed as it is sent', () => {
    const names = fs.readdirSync(BUILT, { recursive: true, encoding: 'utf8' });
    const sent = names.filter((name) => /\.gz$/.test(name) && !name.startsWith('licences'));
    assert.ok(sent.length >= 3, 'run `npm run build` first');
    const bytes = sent.reduce((sum, name) => sum + fs.statSync(path.join(BUILT, name)).size, 0);
    assert.ok(bytes < 120 * 1024, `${bytes} bytes`);
  });
});
