import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { importsOf } from '../../scripts/imports.ts';
import { ROOT, readDocument, tableRows } from '../unit/docs-helpers.ts';

const MB = 1_000_000;
/** Compiled where it is installed, with what that leaves, or fetched ready-made: its size says little. */
const COMPILED = 'sqlite3';

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
}
const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(readDocument('package.json'));
const LOCK: Record<string, Locked> = JSON.parse(readDocument('package-lock.json')).packages;

/** Packages that an installation without development packages has: their folders. Optional ones may be absent. */
const INSTALLED = Object.entries(LOCK)
  .filter(([folder, { dev }]) => folder !== '' && !dev && fs.existsSync(path.join(ROOT, folder)))
  .map(([folder]) => folder);

/** The bytes of all files of a package, each once however many names it has; packages within it count for themselves. */
function sizeOf(folder: string, seen = new Set<number>()): number {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).reduce((sum, entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + sizeOf(file, seen);
    const { ino, size } = fs.lstatSync(path.join(ROOT, file));
    if (!entry.isFile() || seen.has(ino)) return sum;
    seen.add(ino);
    return sum + size;
  }, 0);
}

describe('what is shipped', () => {
  const [, section] = readDocument('CONTRIBUTING.md').split(/^## What is shipped$/m);
  const rows = tableRows(section!.split(/^## /m)[0]!);

  test('is in the table of CONTRIBUTING.md, all of it and nothing else, each with its reasons', () => {
    assert.deepEqual(
      rows.map(([name]) => name!.replaceAll('`', '')).sort(),
      Object.keys(dependencies).sort(),
      'package.json and the table',
    );
    for (const cells of rows) assert.ok(cells.length === 6 && cells.every(Boolean), cells.join(' | '));
  });

  test('is there in the version that is installed, of the size it has', () => {
    for (const [cell, , , , release, size] of rows) {
      const name = cell!.replaceAll('`', '');
      const folder = `node_modules/${name}`;
      assert.match(release!, /^\d+\.\d+\.\d+, \d{4}-\d{2}-\d{2}$/, name);
      assert.equal(release!.split(',')[0], LOCK[folder]!.version, `${name}: see "npm view ${name} time" for the date`);
      const measured = sizeOf(folder) / MB;
      const [said] = /^[\d.]+/.exec(size!)!;
      if (name !== COMPILED)
        assert.ok(Math.abs(Number(said) - measured) < 0.06, `${name}: ${measured.toFixed(2)} MB, not ${said}`);
    }
  });

  test('is all that is imported', () => {
    const sources = ['lib', 'bin'].flatMap((top) =>
      fs
        .readdirSync(path.join(ROOT, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.c?ts$/.test(name))
        .map((name) => `${top}/${name}`),
    );
    const strangers = sources
      .flatMap((file) => importsOf(file, readDocument(file)))
      .filter(({ target }) => !/^(node:|lib\/|bin\/)/.test(target))
      .map(({ file, target }) => ({ file, name: target.split('/', target.startsWith('@') ? 2 : 1).join('/') }))
      .filter(({ name }) => !(name in dependencies));
    assert.deepEqual(strangers, []);
  });

  test('has the page, with the licences of all that is in it', () => {
    const sources = fs
      .readdirSync(path.join(ROOT, 'web/src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => `web/src/${name}`);
    const packages = sources
      .flatMap((file) => [...readDocument(file).matchAll(/\bfrom '([^.'][^']*)'|\bimport '([^.'][^']*)'/g)])
      .map(([, from, bare]) => (from ?? bare)!.split('/')[0]!);
    assert.ok(packages.includes('preact'), 'imports are found');
    const licences = readDocument('dist/web/licences.txt');
    for (const name of packages) {
      assert.ok(LOCK[`node_modules/${name}`]?.dev, `${name} is bundled, so that nobody must install it`);
      assert.match(licences, new RegExp(`^${name} ${LOCK[`node_modules/${name}`]!.version} \\(MIT\\)$`, 'm'));
      assert.match(section!, new RegExp(`\`${name}\``), 'CONTRIBUTING.md says what is in the page');
    }
    const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT });
    const files: readonly { readonly path: string }[] = JSON.parse(packed.stdout.toString())[0].files;
    const shipped = files.map(({ path }) => path);
    for (const name of ['index.html', 'index.html.gz', 'licences.txt'])
      assert.ok(shipped.includes(`dist/web/${name}`), name);
    assert.ok(shipped.includes('dist/bin/licences.txt'), 'the licences of what the programs carry');
  });

  test('takes less than 60 MB with all that it needs, without development packages', (t) => {
    const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const own: number = JSON.parse(packed.stdout)[0].unpackedSize;
    assert.ok(own > MB, 'what was built is in the package');
    const others = INSTALLED.reduce((sum, folder) => sum + sizeOf(folder), 0);
    t.diagnostic(
      `${((own + others) / MB).toFixed(1)} MB: ${(own / MB).toFixed(1)} of our own, ${INSTALLED.length} packages`,
    );
    t.diagnostic(`${(sizeOf(`node_modules/${COMPILED}`) / MB).toFixed(1)} MB of them is ${COMPILED}`);
    assert.ok(INSTALLED.length > 50, 'the packages are found');
    assert.ok(own + others < 60 * MB, `${own + others} bytes`);
  });
});
