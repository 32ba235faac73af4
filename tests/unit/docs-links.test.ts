import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { anchorsOf, documents, PACKAGE, ROOT, readDocument } from './docs-helpers.ts';

describe('links lead to files and headings that are there', () => {
  for (const file of documents()) {
    test(file, () => {
      const text = readDocument(file).replaceAll(/^```[\s\S]*?^```/gm, '');
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
      for (const link of links.filter((target) => !/^(https?|mailto):/.test(target))) {
        const [target = '', anchor] = link.split('#');
        const found = target === '' ? file : path.join(path.dirname(file), target);
        assert(fs.existsSync(path.join(ROOT, found)), `${file} links to ${link}: no such file`);
        if (anchor) assert(anchorsOf(readDocument(found)).has(anchor), `${file} links to ${link}: no such heading`);
      }
    });
  }
});

test('the package holds what users need and nothing else', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const packed: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
  const wanted = [...PACKAGE.files, 'package.json'];
  const stray = packed.filter((file) => !wanted.some((each) => file === each || file.startsWith(`${each}/`)));
  assert.deepEqual(stray, []);
  // Whoever unpacks the tarball has no other files: a link must lead to one of these.
  for (const file of packed.filter((each) => each.endsWith('.md'))) {
    for (const [, link] of readDocument(file)
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .matchAll(/\]\(([^)\s#:]+)(#[^)]*)?\)/g)) {
      const target = path.join(path.dirname(file), link!);
      assert(packed.includes(target), `${file} links to ${link}, which is not in the package`);
    }
  }
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', ...documents('docs')])
    assert(packed.includes(file), file);
  assert.deepEqual(
    packed.filter((file) => /\.(test\.|db$|sqlite3$|log$|sock$)/.test(file)),
    [],
  );
});

test('comments cite pages by their path, and only those that are in the package', () => {
  const sources = ['lib', 'bin', 'contrib', 'scripts'].flatMap((folder) =>
    fs.readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true }),
  );
  const shipped = new Set([...documents('docs'), 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'bench/README.md']);
  let cited = 0;
  for (const entry of sources.filter((each) => each.isFile())) {
    const file = path.relative(ROOT, path.join(entry.parentPath, entry.name));
    const lines = readDocument(file).split('\n');
    const comments = file.endsWith('ts') ? lines.filter((line) => /^\s*(\/\/|\/?\*)/.test(line)) : lines;
    for (const [page] of comments.join('\n').matchAll(/(?<![\w`/.])[\w-]+(?:\/[\w-]+)*\.md\b/g)) {
      assert(shipped.has(page), `${file} cites ${page}, which users do not have under that name`);
      cited++;
    }
  }
  assert(cited > 20);
});

test('a heading that a comment cites is there', () => {
  const sources = fs.readdirSync(path.join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' });
  let cited = 0;
  for (const name of sources.filter((each) => each.endsWith('.ts'))) {
    for (const [, page, heading] of readDocument(`lib/${name}`).matchAll(/\b(docs\/[a-z-]+\.md), "([^"]+)"/g)) {
      assert.match(readDocument(page!), new RegExp(`^#+ ${heading}$`, 'm'), `lib/${name} cites ${page}, "${heading}"`);
      cited++;
    }
  }
  assert(cited > 0);
});
