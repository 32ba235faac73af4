import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { readCommandLine } from '../../lib/cli/args/run.ts';
import type { AnyProgram } from '../../lib/cli/args/table.ts';
import { HASH_CLIENT } from '../../lib/cli/hashclient/program.ts';
import { SERVER } from '../../lib/cli/server-program.ts';
import { COPY_OPTIONS } from '../../lib/cli/tables/copy-options.ts';
import { WARM_OPTIONS } from '../../lib/cli/tables/warm-options.ts';
import { configOf } from '../../lib/settings/config.ts';
import { loadConfigFile } from '../../lib/settings/config-file.ts';
import { environmentName } from '../../lib/settings/options.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../../lib/settings/serve-options.ts';
import { resolveSettings } from '../../lib/settings/settings.ts';

const CONTRIB = path.join(import.meta.dirname, '../../contrib');
const read = (file: string) => fs.readFileSync(path.join(CONTRIB, file), 'utf8');
const readAbove = (file: string) => fs.readFileSync(path.join(CONTRIB, '..', file), 'utf8');
const files = fs
  .readdirSync(CONTRIB, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(CONTRIB, path.join(entry.parentPath, entry.name)));
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

test('every BAKESERV_ variable that contrib names is an option', () => {
  const known = new Set(
    [CONFIG_OPTION, ...SERVE_OPTIONS, ...WARM_OPTIONS, ...COPY_OPTIONS].map(({ name }) => environmentName(name)),
  );
  const named = files.flatMap((file) => (read(file).match(/\bBAKESERV_[A-Z_]+/g) ?? []).map((name) => [file, name]));
  assert.deepEqual(
    named.filter(([, name]) => !known.has(name!)),
    [],
  );
});

test('the example configuration is a good one', async () => {
  const file = await loadConfigFile(path.join(CONTRIB, 'systemd/bakeserv.yaml'));
  const config = configOf(resolveSettings({}, {}, file));
  assert.deepEqual(
    config.binds.map(({ address }) => address),
    [
      { kind: 'tcp', host: '', port: 8585 },
      { kind: 'unix', path: '/run/bakeserv/hashserve.sock' },
    ],
  );
  assert.equal(config.binds[1]!.access.mode, 0o666);
  assert.deepEqual(config.hashserv!.syncMode, { kind: 'periodic', seconds: 5 });
});

test('the container image has a supported Node, and the tools that the pages about operating it use', () => {
  const image = read('container/Containerfile');
  const supported = /Node\.js 20 \(20\.\d+ or later\), ([\d, and]+) are supported/
    .exec(readAbove('README.md'))![1]!
    .match(/\d+/g)!;
  const majors = [...image.matchAll(/^FROM docker\.io\/library\/node:(\d+)-/gm)].map(([, major]) => major!);
  assert.equal(majors.length, 2);
  for (const major of majors) assert.ok(supported.includes(major), `Node ${major}`);
  const packages: Readonly<Record<string, string>> = { sqlite3: 'sqlite3', nc: 'netcat-openbsd', jq: 'jq' };
  const pages = ['docs/operating.md', 'docs/protocol.md', 'README.md'].map(readAbove).join('');
  for (const [tool, name] of Object.entries(packages))
    if (new RegExp(`(^|\\s)${tool} `, 'm').test(pages))
      assert.match(image, new RegExp(`apt-get install.* ${name}\\b`), tool);
});

test('the container image is built from everything that the build reads', () => {
  const image = read('container/Containerfile');
  const copied = [...image.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names!.split(' '));
  const { scripts } = JSON.parse(readAbove('package.json'));
  const { include } = JSON.parse(readAbove('tsconfig.json'));
  const named = scripts.build.match(/(?<= )[\w.-]+\/[\w./-]+\.ts|(?<=vite build )[a-z]+|tsconfig\.json/g);
  assert.ok(named.length >= 3, `nothing is named in: ${scripts.build}`);
  for (const name of [...named, ...include]) assert.ok(copied.includes(name), `${name} is missing in the image`);
});

test('the compose file names the image’s own file and a chained pair', () => {
  const { services } = parse(read('container/compose.yaml'), { merge: true });
  assert.ok(fs.existsSync(path.join(CONTRIB, '..', services.site.build.dockerfile)));
  const upstream = services.site.environment.BAKESERV_HASHSERV_UPSTREAM;
  assert.ok(Object.hasOwn(services, upstream.split(':')[0]), upstream);
});

describe('the shell commands are good shell', () => {
  for (const file of files.filter((each) => read(each).startsWith('#!/bin/sh'))) {
    test(file, () => {
      assert.equal(spawnSync('sh', ['-n', path.join(CONTRIB, file)]).status, 0);
      assert.ok(fs.statSync(path.join(CONTRIB, file)).mode & 0o111, 'not executable');
    });
  }
});

if (has('groff')) {
  test('the man page is good roff', () => {
    const { stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', path.join(CONTRIB, 'man/bakeserv.1')], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
  });
}

if (has('systemd-analyze')) {
  test('systemd finds nothing to complain of in the units', (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const units = files.filter((file) => /^systemd\/.*\.(service|socket|timer)$/.test(file));
    assert.equal(units.length, 7);
    for (const unit of units) {
      // bakeserv is not installed here: any program stands for it.
      const text = read(unit).replace(/^(ExecStart|ExecReload)=bakeserv(-hashclient)?/gm, '$1=/bin/sh');
      fs.writeFileSync(path.join(folder, path.basename(unit)), text);
    }
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', ...units.map((unit) => path.join(folder, path.basename(unit)))],
      { encoding: 'utf8' },
    );
    assert.deepEqual([status, stderr], [0, '']);
  });
}

test('what the units and the cron file run are command lines of ours', async () => {
  const programs: Readonly<Record<string, AnyProgram>> = { bakeserv: SERVER, 'bakeserv-hashclient': HASH_CLIENT };
  const ran: string[] = [];
  for (const file of files.filter((each) => /\.service$|^cron\//.test(each))) {
    for (const [, program, rest] of read(file).matchAll(
      /^(?:ExecStart=|ExecReload=|[\d*/ ]+ root )(bakeserv\S*) ([^>\n]*)/gm,
    )) {
      const asked = await readCommandLine(programs[program!]!, rest!.trim().split(' '));
      assert.equal(asked.kind, 'command', `${file}: ${program} ${rest}`);
      if (asked.kind === 'command') ran.push(`${path.basename(file)} ${asked.name}`);
    }
  }
  assert.deepEqual(ran.sort(), [
    'bakeserv backup',
    'bakeserv gc',
    'bakeserv-backup.service backup',
    'bakeserv-gc.service gc',
    'bakeserv.service reload',
    'bakeserv.service serve',
  ]);
});

test('the backup unit has the databases and the user of the service', () => {
  const settings = (unit: string) => read(`systemd/${unit}`).match(/^Environment(File)?=.*/gm);
  assert.deepEqual(settings('bakeserv-backup.service'), settings('bakeserv.service'));
  // Without User= a dynamic user has the name of the unit.
  assert.match(read('systemd/bakeserv-backup.service'), /^DynamicUser=yes\nUser=bakeserv\nStateDirectory=bakeserv /m);
});

test('the logrotate example has the server open its log again, by the signal that does so', () => {
  const example = read('logrotate/bakeserv');
  assert.match(example, /^ {4}postrotate\n.*--signal=HUP bakeserv\.service\n {4}endscript$/m);
  // The server makes the new file; one made by root it could not write.
  assert.match(example, /^ {4}nocreate$/m);
  assert.match(readAbove('docs/operating.md'), /^\| `SIGHUP` +\| opens the log again/m);
});

test('bash reads the completion, and completes a command’s options', () => {
  const script = path.join(CONTRIB, 'completion/bakeserv.bash');
  const complete = (words: string[]) => {
    const setUp = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bakeserv; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', setUp, script, ...words], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim();
  };
  assert.equal(complete(['bakeserv', 'ser']), 'serve');
  assert.equal(complete(['bakeserv', 'auto', '--idl']), '--idle');
  assert.equal(complete(['bakeserv', 'serve', '--log-format', '']), 'text json');
  assert.equal(complete(['bakeserv', 'config', 'pr']), 'print');
});
