import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageVersion } from '../../lib/package-version.ts';
import { generatedFiles } from '../../scripts/generated.ts';
import { openSite, outcome, type Site } from './client-helpers.ts';

const ROOT = path.join(import.meta.dirname, '../..');

interface Example {
  readonly command: string;
  readonly expected: string[];
}

/** The commands of ```console blocks, each with the lines below it. */
function examplesOf(document: string): Example[] {
  const examples: Example[] = [];
  for (const [, block] of document.matchAll(/^```console\n([\s\S]*?)^```/gm)) {
    for (const line of block!.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) examples.push({ command: line.slice(2), expected: [] });
      else examples.at(-1)!.expected.push(line);
    }
  }
  return examples;
}

describe('the examples of docs/clients.md', () => {
  let site: Site;
  let bin: string;
  before(async () => {
    site = await openSite(['--bind', 'unix://./hashserve.sock']);
    bin = path.join(site.folder, 'bin');
    fs.mkdirSync(bin);
    for (const name of ['bakeserv-hashclient', 'bakeserv-prclient']) {
      const script = `#!/bin/sh\nexec '${process.execPath}' '${path.join(ROOT, 'dist/bin', name)}.js' "$@"\n`;
      fs.writeFileSync(path.join(bin, name), script, { mode: 0o755 });
    }
  });
  after(() => site.close());

  const examples = examplesOf(fs.readFileSync(path.join(ROOT, 'docs/clients.md'), 'utf8'));
  for (const { command, expected } of examples) {
    test(`$ ${command}`, async () => {
      const env = { PATH: `${bin}:${process.env.PATH}`, HOME: site.folder, PRSERV_SERVER_ADDR: site.tcp };
      const child = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: site.folder, env });
      child.stdin.end();
      const { stdout } = await outcome(child);
      const lines = stdout.split('\n').slice(0, -1);
      // Notes on stderr come before or after the result, as the pipes have it.
      if (expected.at(-1) === '…') assert.deepEqual(lines.slice(0, expected.length - 1), expected.slice(0, -1));
      else assert.deepEqual(lines, expected);
    });
  }

  test('there are examples', () => assert.ok(examples.length > 15));
});

test('manual pages and completions in contrib are those of the command tables', async () => {
  for (const [file, text] of await generatedFiles(packageVersion())) {
    assert.equal(fs.readFileSync(path.join(ROOT, file), 'utf8'), text, `${file}: npm run generate`);
  }
});
