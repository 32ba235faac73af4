import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { importsOf } from '../../scripts/imports.ts';
import { PARTS, programParts } from '../../scripts/program-parts.ts';
import { ROOT } from './docs-helpers.ts';

describe('the parts that programs are built of', () => {
  const partOf = programParts(ROOT);
  const files = fs
    .readdirSync(path.join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `lib/${name}`);

  for (const [file, part] of [
    ['lib/errors.ts', 'program'],
    ['lib/cli/args/run.ts', 'program'],
    ['lib/asyncrpc/wire/lines.ts', 'shared'],
    ['lib/server.ts', 'server'],
    ['lib/storage/sqlite/engine/binding.ts', 'storage'],
    ['lib/http/door.ts', null],
    ['lib/cli/server-program.ts', null],
    ['lib/cli/hashclient/program.ts', null],
  ] as const) {
    test(`${file} is in ${part ?? 'none of them'}`, () => {
      assert.ok(files.includes(file), `${file} is gone`);
      assert.equal(partOf(file), part);
    });
  }

  test('import those before them at most, and nothing that is in no part', () => {
    const rank = (file: string) => PARTS.indexOf(partOf(file) as (typeof PARTS)[number]);
    const breaches = files
      .filter((file) => partOf(file) !== null)
      .flatMap((file) => importsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8')))
      .filter(({ target, typeOnly, isCall }) => !typeOnly && !isCall && target.startsWith('lib/'))
      .filter(({ file, target }) => rank(target) < 0 || rank(target) > rank(file));
    assert.deepEqual(breaches, []);
  });
});
