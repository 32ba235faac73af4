import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { documents, PACKAGE, ROOT, readDocument } from './docs-helpers.ts';

const FOLDER = 'docs/images';
const KIB = 1024;

const there = fs.readdirSync(path.join(ROOT, FOLDER)).map((name) => `${FOLDER}/${name}`);
/** The images that pages show, by their path from the root. */
const shown = documents().flatMap((page) =>
  [...readDocument(page).matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, text, target]) => ({
    page,
    text: text!,
    image: path.join(path.dirname(page), target!),
  })),
);

describe('pictures in the documentation', () => {
  test('are all shown somewhere, and say in words what they show', () => {
    const images = new Set(shown.map(({ image }) => image));
    assert.deepEqual(
      there.filter((image) => !images.has(image)),
      [],
    );
    for (const { page, text, image } of shown) {
      assert.ok(fs.existsSync(path.join(ROOT, image)), `${page}: ${image}`);
      assert.match(text, /\w{3,} .+\w/, `${page}: ${image}`);
    }
  });

  test('are in git, where this is a checkout, and in the package', () => {
    const isCheckout = fs.existsSync(path.join(ROOT, '.git'));
    const kept = isCheckout
      ? spawnSync('git', ['ls-files', 'docs'], { cwd: ROOT, encoding: 'utf8' }).stdout.split('\n')
      : there;
    for (const { page, image } of shown) assert.ok(kept.includes(image), `${page}: ${image} is not in git`);
    assert.ok(PACKAGE.files.includes('docs'));
  });

  test('are small', () => {
    const sizes = there.map((image) => fs.statSync(path.join(ROOT, image)).size);
    for (const [i, bytes] of sizes.entries()) assert.ok(bytes < 120 * KIB, `${there[i]}: ${bytes} bytes`);
    const all = sizes.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(all < KIB * KIB, `${all} bytes`);
  });

  test('of the page are those that `npm run screenshots` makes', () => {
    const files = [...PACKAGE.scripts.screenshots!.matchAll(/tests\/page\/\S+\.test\.ts/g)].map(([file]) => file);
    assert.ok(files.length > 0);
    const made = files.flatMap((file) =>
      [...readDocument(file).matchAll(/picture\(page, '([\w-]+)'|'(?:wide|narrow) (?:light|dark)': \['([\w-]+)'/g)].map(
        ([, one, other]) => `${FOLDER}/${one ?? other}.png`,
      ),
    );
    assert.deepEqual(made.sort(), there.sort());
  });
});
