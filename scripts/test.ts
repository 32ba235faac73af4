/**
 * Runs the suite: npm run test:all [-- TEST FILE ...]
 *
 * `npm run test:all` compiles everything into .compiled first, which checks all types too: compiling on the way, as
 * `node --import tsx` does, cost each of the many test processes more than most tests do. This file runs from there.
 */
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { type FailedTest, failures } from './test-failures.ts';
import { longestFirst, slowest } from './test-times.ts';

/** npm runs a script in the root of the checkout. */
const ROOT = process.cwd();
/** More than CI has cores: many files wait most of the time, for processes, time-outs or an idle link. */
const FILES_AT_ONCE = 4;
const COMPILED = path.join(ROOT, '.compiled');

const named = process.argv.slice(2).map((file) => path.relative(ROOT, path.resolve(file)));
const sources = named.length > 0 ? named : longestFirst(testFiles());
for (const folder of ['tests', 'bench', 'scripts']) standInSources(folder);

const results = run({
  files: sources.map((file) => path.join(COMPILED, file.replace(/\.ts$/, '.js'))),
  concurrency: FILES_AT_ONCE,
});
const tookMs = new Map<string, number>();
const failed: FailedTest[] = [];
const sourceOf = (file = '') => file.replace(`${COMPILED}/`, '').replace(`${ROOT}/`, '').replace(/\.js$/, '.ts');
const count = (of: { nesting: number; file?: string; details: { duration_ms: number } }) => {
  const source = sourceOf(of.file);
  if (of.nesting === 0) tookMs.set(source, (tookMs.get(source) ?? 0) + of.details.duration_ms);
};
results.on('test:pass', count).on('test:fail', count);
results.on('test:fail', ({ name, file, details, todo }) => {
  if (todo !== undefined && todo !== false) return;
  process.exitCode = 1;
  failed.push({ name, file: sourceOf(file), details });
});
for await (const text of results.compose(process.stdout.isTTY ? new spec() : tap)) process.stdout.write(text);
process.stdout.write(slowest(tookMs) + failures(failed));

/** All files of tests, from the root of the checkout. */
function testFiles(): string[] {
  return fs
    .readdirSync(path.join(ROOT, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `tests/${name}`);
}

/**
 * Has compiled files look beside their sources for what they read (pages, recordings, built programs). lib and bin are
 * left alone: what they find from where they are must be found in a built package too.
 */
function standInSources(folder: string): void {
  for (const name of fs.readdirSync(path.join(COMPILED, folder), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue;
    const compiled = path.join(COMPILED, folder, name);
    const source = path.join(ROOT, folder, name.replace(/\.js$/, '.ts'));
    const meta = { url: pathToFileURL(source).href, dirname: path.dirname(source), filename: source };
    const text = fs.readFileSync(compiled, 'utf8');
    const moved = text.replaceAll(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, key: keyof typeof meta) =>
      JSON.stringify(meta[key]),
    );
    if (moved !== text) fs.writeFileSync(compiled, moved);
  }
}
