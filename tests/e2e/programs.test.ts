import assert from 'node:assert/strict';
import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type Import, importsOf } from '../../scripts/imports.ts';
import { ROOT } from '../unit/docs-helpers.ts';

const BIN = 'dist/bin';
const PROGRAMS = ['bakeserv', 'bakeserv-hashclient', 'bakeserv-prclient'];

/** Built files have double quotes. */
function importsIn(file: string): Import[] {
  return importsOf(
    file,
    fs
      .readFileSync(path.join(ROOT, file), 'utf8')
      .replace(/(?: from|^import) "[^"]+"|import\("[^"]+"\)/gm, (text) => text.replaceAll('"', "'")),
  );
}

function filesBelow(folder: string, ending: string): string[] {
  const files = fs.readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((name) => name.endsWith(ending)).map((name) => `${folder}/${name}`);
}

/** Every file of ours that is loaded with these. */
function loadedWith(...files: string[]): string[] {
  const loaded = new Set(files);
  for (const each of loaded)
    for (const { target, isCall } of importsIn(each)) if (!isCall && target.startsWith('dist/')) loaded.add(target);
  return [...loaded];
}

const PARTS = `${BIN}/parts`;
const partsOf = (name: string) =>
  filesBelow(PARTS, '.js').filter((file) => new RegExp(`/${name}-[\\w-]{8}\\.js$`).test(file));
const isPackage = ({ target, typeOnly }: Import) =>
  !typeOnly && !isBuiltin(target) && !/^(dist\/|lib\/|bin\/|ajv$)/.test(target);
const BUILT_IN = ['p-queue', 'winston', 'yargs'];

describe('the programs that are built', () => {
  test('are a few files of their own, as each that is loaded costs a start half a millisecond', () => {
    assert.equal(partsOf('serve').length, 1);
    for (const program of PROGRAMS) {
      const entry = `${BIN}/${program}.js`;
      const loaded = loadedWith(entry, ...(program === 'bakeserv' ? partsOf('serve') : []));
      assert.ok(loaded.length > 1, `${program}: this test follows no imports`);
      assert.ok(loaded.length < (program === 'bakeserv' ? 8 : 5), `${program} loads ${loaded.length} files`);
      for (const file of loaded) assert.ok(file === entry || file.startsWith(`${PARTS}/`), `${program} loads ${file}`);
    }
  });

  test('have no part that loads a program: each would wait for the other', () => {
    for (const file of filesBelow(PARTS, '.js'))
      for (const { target } of importsIn(file)) assert.doesNotMatch(target, /^dist\/bin\/[^/]+$/, file);
  });

  test('load no package but SQLite before a server listens, and none in what clients load too', () => {
    const packagesOf = (files: readonly string[]) =>
      files.flatMap((file) => importsIn(file).filter((each) => isPackage(each) && !each.isCall));
    const names = (files: readonly string[]) => [...new Set(packagesOf(files).map(({ target }) => target))];
    const [shared] = partsOf('shared');
    assert.deepEqual(names(loadedWith(...partsOf('serve'), ...partsOf('read'), ...partsOf('winston'))), ['sqlite3']);
    assert.deepEqual(names(loadedWith(shared!, ...PROGRAMS.map((name) => `${BIN}/${name}.js`))), []);
  });

  test('carry the packages that every start loads; the others are where they are installed', () => {
    const packagesIn = (files: readonly string[]) => {
      const names = files.flatMap((file) => importsIn(file).filter(isPackage)).map(({ target }) => target);
      return [...new Set(names)].sort();
    };
    const written = packagesIn([...filesBelow('lib', '.ts'), ...filesBelow('bin', '.ts')]);
    const isBuiltIn = (name: string) => BUILT_IN.includes(name.split('/')[0]!);
    assert.equal(written.filter(isBuiltIn).length, BUILT_IN.length);
    // Ajv is required where it is first wanted. The library for programs of others loads nothing that the programs do not.
    assert.deepEqual(
      packagesIn(filesBelow(BIN, '.js')),
      written.filter((name) => !isBuiltIn(name)),
    );
  });

  test('have the licences of all packages that they carry beside them', () => {
    const built = filesBelow(BIN, '.js').map((file) => fs.readFileSync(path.join(ROOT, file), 'utf8'));
    const carried = built.flatMap((text) =>
      [...text.matchAll(/^\/\/ (?:\S*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\/\S+$/gm)].map(([, name]) => name!),
    );
    for (const name of ['p-queue', 'winston', 'yargs-parser', 'logform'])
      assert.ok(carried.includes(name), `${name} is not found in what was built`);
    assert.ok(!carried.includes('cliui'), 'of yargs only what reads command lines');
    const licences = fs.readFileSync(path.join(ROOT, BIN, 'licences.txt'), 'utf8');
    const named = [...licences.matchAll(/^(\S+) \d+\.\d+\.\d+ \([\w-]+\)\n\n\S/gm)].map(([, name]) => name!);
    assert.deepEqual([...new Set(named)].sort(), [...new Set(carried)].sort());
  });
});
