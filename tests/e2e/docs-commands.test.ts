import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type AnyProgram, programOptions } from '../../lib/cli/args/table.ts';
import { HASH_CLIENT } from '../../lib/cli/hashclient/program.ts';
import { PR_CLIENT } from '../../lib/cli/prclient/program.ts';
import { SERVER } from '../../lib/cli/server-program.ts';
import { connectHashClient, parseAddress } from '../../lib/index.ts';
import { documents, ROOT, readDocument } from '../unit/docs-helpers.ts';
import { digits, openSite, outcome } from './client-helpers.ts';

const PAGES = documents().filter((file) => file === 'README.md' || file.startsWith('docs/'));
const CALL =
  /(?<![\w/.-])(bakeserv(?:-hashclient|-prclient)?|bitbake-(?:hashserv|prserv|hashclient))((?: [^`|;&\n#]*)?)/g;

interface Call {
  readonly program: string;
  readonly words: readonly string[];
}

/** Every call of a command of ours, in code on the page. */
function callsOn(page: string): Call[] {
  const text = readDocument(page);
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```|^ {4,}(.*)$/gm)].map(([, block, line]) => block ?? line!);
  const inline = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...inline].flatMap((code) =>
    [...code.matchAll(CALL)].map(([, program, rest]) => ({ program: program!, words: rest!.trim().split(/\s+/) })),
  );
}

const PROGRAMS: Readonly<Record<string, AnyProgram>> = {
  bakeserv: SERVER,
  'bakeserv-hashclient': HASH_CLIENT,
  'bitbake-hashclient': HASH_CLIENT,
  'bakeserv-prclient': PR_CLIENT,
};

/** The options a command line may have, by the table of its program; null for a command that is not there. */
function optionsOf({ program, words }: Call): string | null {
  const dropIn = Object.hasOwn(SERVER.commands, program);
  const table: AnyProgram = dropIn ? SERVER : PROGRAMS[program]!;
  const name = dropIn ? program : words.find((word) => Object.hasOwn(table.commands, word));
  if (name === undefined && table === SERVER) return null;
  const own = name === undefined ? [] : (table.commands[name]!.options ?? []);
  return [...programOptions(table), ...own]
    .flatMap(({ name, alias, type, setting }) => [
      `--${name}`,
      ...(alias ? [`-${alias}`] : []),
      ...(type === 'boolean' && setting ? [`--no-${name}`] : []),
    ])
    .join(' ');
}

const PLACEHOLDER = /^[A-Z…]|^$|^COMMAND/;

describe('every command line on every page', () => {
  for (const page of PAGES) {
    test(page, () => {
      for (const call of callsOn(page)) {
        const line = [call.program, ...call.words].join(' ');
        if (call.program === 'bakeserv' && (call.words[0]!.startsWith('-') || PLACEHOLDER.test(call.words[0]!)))
          continue;
        if (call.program === 'bakeserv' && !/^[a-z-]+$/.test(call.words[0]!)) continue;
        const known = optionsOf(call);
        assert.ok(known !== null, `${page}: ${line}: no such command`);
        const end = call.words.indexOf('--');
        const own = end < 0 ? call.words : call.words.slice(0, end);
        for (const word of own.filter((each) => /^--?[a-z]/.test(each))) {
          const [flag] = word.replace(/^--no-/, '--').split(/[=,)"'.]/);
          assert.ok(`${known} `.includes(flag!), `${page}: ${line}: no option ${flag}`);
        }
      }
    });
  }

  test('there are many', () => assert.ok(PAGES.flatMap(callsOn).length > 100));

  test('what the pages say is in contrib is there', () => {
    for (const page of PAGES) {
      for (const [, file] of readDocument(page).matchAll(/`[^`\n]*\b(contrib\/[\w./-]*\w)/g)) {
        assert.ok(fs.existsSync(path.join(ROOT, file!)), `${page}: ${file}`);
      }
    }
  });
});

test('the garbage collection of operating.md keeps what the shared-state folder names, and nothing else', async (t) => {
  const site = await openSite(['--bind', 'unix://./hashserve.sock']);
  t.after(() => site.close());
  const server = await connectHashClient(parseAddress(site.address));
  t.after(() => server.close());
  const method = 'oe.sstatesig.OEOuthashBasic';
  for (const number of [1, 2, 3, 4]) {
    const hash = digits(number);
    await server.report({ method, taskhash: hash, outhash: hash, unihash: hash });
  }
  const folder = path.join(site.folder, 'sstate/universal/ab/cd');
  fs.mkdirSync(folder, { recursive: true });
  for (const number of [1, 3]) {
    const name = `sstate:zlib:core2-64-poky-linux:1.3.1:r0:core2-64:12:${digits(number)}_package.tar.zst`;
    for (const suffix of ['', '.siginfo']) fs.writeFileSync(path.join(folder, name + suffix), '');
  }
  fs.writeFileSync(path.join(folder, `${digits(2)}_notes.txt`), '');
  const page = readDocument('docs/operating.md');
  const section = /^## Garbage collection\n([\s\S]*?)^## /m.exec(page)![1]!;
  const lines = [...section.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!.replace('/srv/sstate', 'sstate'));
  assert.equal(lines.length, 4);
  const bin = path.join(site.folder, 'bin');
  fs.mkdirSync(bin);
  const script = `#!/bin/sh\nexec '${process.execPath}' '${path.join(ROOT, 'dist/bin/bakeserv-hashclient.js')}' "$@"\n`;
  fs.writeFileSync(path.join(bin, 'bakeserv-hashclient'), script, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: site.folder };
  const { status, stdout, stderr } = await outcome(
    spawn('sh', ['-ec', lines.join('\n')], { cwd: site.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /^New hashes marked: 2\nCurrent Mark: nightly\nTotal hashes to keep: 2\nTotal hashes to remove: 2\nRemoved 2 rows\n/,
  );
  const left = await server.getUnihashes([1, 2, 3, 4].map((number) => ({ method, taskhash: digits(number) })));
  assert.deepEqual(left, [digits(1), null, digits(3), null]);
});
