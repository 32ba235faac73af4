import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../..');

export const readDocument = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

export const PACKAGE: { bin: Record<string, string>; files: string[]; scripts: Record<string, string> } = JSON.parse(
  readDocument('package.json'),
);

/** The commands of the package whose sources are there. */
export const BINARIES: readonly string[] = Object.keys(PACKAGE.bin).filter((name) =>
  fs.existsSync(path.join(ROOT, 'bin', `${name}.ts`)),
);

/** The subcommands that `--help` of a command lists. */
export function overviewOf(binary: string): string[] {
  const file = path.join(ROOT, 'bin', `${binary}.ts`);
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, '--help'], { encoding: 'utf8' });
  const listed = /^Commands:\n((?: .*\n)+)/m.exec(stdout)?.[1];
  if (!listed) throw new Error(`${binary} --help lists no commands:\n${stdout}${stderr}`);
  return [...listed.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!);
}

const OTHERS = new Set(['node_modules', 'dist', '.git', '.bench-cache']);

/** The markdown files of the repository, from its root. */
export function documents(folder = ''): string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : documents(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

/** The cells of every row of a document's tables, without their heads. */
export function tableRows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\|[ :-]+\|[-| :]*\n((?:\|.*\|\n?)+)/gm)].flatMap(([, body]) =>
    body!
      .trimEnd()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      ),
  );
}

/** The anchors that headings of a document make, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  return new Set(
    [...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** A test that a page names: its file from the root, and its title, with `…` for what varies. */
export interface CitedTest {
  readonly file: string;
  readonly title: string;
}

/** The tests named in a text: a file between backticks and a colon, then one or more titles between curly quotes. */
export function citedTests(markdown: string): CitedTest[] {
  return [...markdown.replaceAll(/\s+/g, ' ').matchAll(/`(tests\/[\w./-]+\.ts)`: (“[^”]+”(?:, “[^”]+”)*)/g)].flatMap(
    ([, file, titles]) => [...titles!.matchAll(/“([^”]+)”/g)].map(([, title]) => ({ file: file!, title: title! })),
  );
}

/** What the titles of tests, and of groups of them, look like in a source: each as an expression, since a template holds what varies. */
export function titlesIn(source: string): RegExp[] {
  const calls = source.matchAll(
    /\b(?:test|describe)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g,
  );
  return [...calls].flatMap(([, single, double, template]) => {
    const literal = single ?? double;
    if (literal !== undefined) return [exactly([literal.replaceAll(/\\(.)/g, '$1')])];
    const parts = template!.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
    // A title that is made elsewhere would be like any other.
    return parts.join('').length < 8 ? [] : [exactly(parts)];
  });
}

const exactly = (parts: readonly string[]) =>
  new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`);
