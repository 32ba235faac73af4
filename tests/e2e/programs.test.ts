import assert from 'node:assert/strict';
import fs from 'node:fs';
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
      .replace(/ from "([^"]+)"|import\("([^"]+)"\)/g, (text) => text.replaceAll('"', "'")),
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

describe('the programs that are built', () => {
  test('are a few files of their own, as each that is loaded costs a start half a millisecond', () => {
    const parts = fs.readdirSync(path.join(ROOT, BIN, 'parts'));
    const serve = parts.filter((name) => name.startsWith('serve-'));
    assert.ok(serve.length > 0, `there is no file of serve among ${parts.length}`);
    for (const program of PROGRAMS) {
      const entry = `${BIN}/${program}.js`;
      const loaded = loadedWith(entry, ...(program === 'bakeserv' ? serve.map((name) => `${BIN}/parts/${name}`) : []));
      assert.ok(loaded.length > 2, `${program}: this test follows no imports`);
      assert.ok(loaded.length < 90, `${program} loads ${loaded.length} files`);
      for (const file of loaded)
        assert.ok(file === entry || file.startsWith(`${BIN}/parts/`), `${program} loads ${file}`);
    }
  });

  test('carry no package: those are where they are installed, with their licences', () => {
    const packages = (imports: readonly Import[]) =>
      imports.filter(({ target, typeOnly }) => !typeOnly && !/^(node:|dist\/|lib\/|bin\/|ajv$)/.test(target));
    const built = filesBelow(BIN, '.js').flatMap((file) => packages(importsIn(file)));
    const written = [...filesBelow('lib', '.ts'), ...filesBelow('bin', '.ts')].flatMap((file) =>
      packages(importsIn(file)),
    );
    const names = (imports: readonly Import[]) => [...new Set(imports.map(({ target }) => target))].sort();
    // Ajv is required where it is first wanted. The library for programs of others loads nothing that the programs do not.
    assert.deepEqual(names(built), names(written));
  });
});
