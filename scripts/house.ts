/**
 * Figures of the house: `npm run house -- [--root DIR] [--json]`. Files and folders of lib and bin, circles of imports
 * (types included), the longest file and the median; and what one warm request passes: files and functions of
 * dist/lib that ran between the first byte of the request and the last byte of its answer.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { circlesOf, importsOf } from './imports.ts';
import type { Passed } from './passed.ts';

const args = process.argv.slice(2);
const at = args.indexOf('--root');
const root = path.resolve(at < 0 ? path.join(import.meta.dirname, '..') : args[at + 1]!);

const sources = ['lib', 'bin'].flatMap((top) =>
  fs
    .readdirSync(path.join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.c?ts$/.test(name))
    .map((name) => ({ file: `${top}/${name}`, text: fs.readFileSync(path.join(root, top, name), 'utf8') })),
);
const lines = sources
  .map(({ file, text }) => ({ file, lines: text.split('\n').length - 1 }))
  .sort((a, b) => b.lines - a.lines);
const folders = new Map<string, number>();
for (const { file } of sources) folders.set(path.dirname(file), (folders.get(path.dirname(file)) ?? 0) + 1);
const [largestFolder, filesInIt] = [...folders].sort(([, a], [, b]) => b - a)[0]!;
const circles = circlesOf(sources.flatMap(({ file, text }) => importsOf(file, text)));

const measured = spawnSync(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'passes.ts'), root], {
  encoding: 'utf8',

  stdio: ['ignore', 'pipe', 'inherit'],
});
const passed: readonly Passed[] = measured.status === 0 ? JSON.parse(measured.stdout) : [];

const figures = {
  files: sources.length,
  lines: lines.reduce((sum, each) => sum + each.lines, 0),
  folders: folders.size,
  largestFolder: { folder: largestFolder, files: filesInIt },
  circles,
  longestFile: lines[0]!,
  medianLines: lines[Math.floor(lines.length / 2)]!.lines,
  passed,
};

if (args.includes('--json')) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
else {
  process.stdout.write(
    `files          ${figures.files} (${figures.lines} lines)
folders        ${figures.folders}, the largest ${largestFolder} with ${filesInIt} files
circles        ${circles.length}
longest file   ${lines[0]!.file}, ${lines[0]!.lines} lines
median         ${figures.medianLines} lines
`,
  );
  for (const circle of circles) process.stdout.write(`  circle: ${circle.join(', ')}\n`);
  for (const { request, files, functions } of passed)
    process.stdout.write(`${request.padEnd(14)} passes ${files} files, ${functions} functions\n`);
}
if (measured.status !== 0) process.exitCode = 1;
