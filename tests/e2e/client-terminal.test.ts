import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSite, outcome, type Site } from './client-helpers.ts';

const STRESS = ['stress', '--clients', '1', '--requests', '50'];
const BAR = /\[?[#.]{30}\]? +\d+% \| \d+\/50 requests/;
const CLIENT = path.join(import.meta.dirname, '../../dist/bin/bakeserv-hashclient.js');

/** What gives a program a terminal, where it is installed: util-linux and BSD have `script`. */
function scriptCommand(line: string): readonly string[] | null {
  try {
    execFileSync('script', ['--version'], { stdio: 'ignore' });
    return ['script', '-qec', line, '/dev/null'];
  } catch {
    return null;
  }
}

describe('what clients draw on a terminal', () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  /** Runs a client whose stderr says that it is a terminal, as Node's own does. */
  const onTerminal = (args: readonly string[], env: NodeJS.ProcessEnv = {}, stdin = '') => {
    const pretend =
      'for (const stream of [process.stdout, process.stderr]) Object.assign(stream, { isTTY: true, columns: 100, ' +
      'cursorTo() {}, clearLine() {}, moveCursor() {} });';
    const child = spawn(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, CLIENT, '--address', site.address, ...args],
      { env: { PATH: process.env.PATH, HOME: site.folder, TERM: 'xterm', ...env } },
    );
    child.stdin.end(stdin);
    return outcome(child);
  };

  test('stress draws a progress bar on a terminal', async () => {
    const { status, stderr } = await onTerminal(STRESS);
    assert.equal(status, 0);
    assert.match(stderr, BAR);
    assert.match(stderr, /100% \| 50\/50 requests/);
    // Ctrl-C must not leave a terminal without cursor or line wrap: neither is ever taken away.
    assert.equal(stderr.includes('\u001b[?25l') || stderr.includes('\u001b[?7l'), false);
  });

  test('gc-mark-stream counts lines on a terminal', async () => {
    const lines = 'method none\n'.repeat(3);
    const { status, stdout, stderr } = await onTerminal(['gc-mark-stream', 'm'], {}, lines);
    assert.deepEqual([status, stdout], [0, 'New hashes marked: 0\n']);
    assert.match(stderr, /3 lines \| /);
    assert.equal((await site.hash(['gc-mark-stream', 'm'], { stdin: lines })).stderr, '');
  });

  test('stress draws nothing into a pipe', async () => {
    assert.deepEqual({ ...(await site.hash(STRESS)), stdout: '' }, { status: 0, signal: null, stdout: '', stderr: '' });
  });

  test('errors are in colour on a terminal, never with NO_COLOR, never in a pipe', async () => {
    const wrong = ['gc-sweep', 'none'];
    const plain = "ERROR: 'none' is not the current mark. Refusing to sweep\n";
    const coloured = await onTerminal(wrong);
    assert.equal(coloured.stderr, plain.replace('ERROR:', '\u001b[31mERROR:\u001b[39m'));
    assert.equal((await onTerminal(wrong, { NO_COLOR: '1' })).stderr, plain);
    assert.equal((await site.hash(wrong)).stderr, plain);
  });

  const terminal = scriptCommand([process.execPath, CLIENT, '--address', '"$ADDRESS"', ...STRESS].join(' '));
  if (terminal) {
    test('the bar draws on a real pseudo-terminal', async () => {
      const [program, ...args] = terminal as [string, ...string[]];
      const env = { PATH: process.env.PATH, HOME: site.folder, TERM: 'xterm', ADDRESS: site.address, SHELL: '/bin/sh' };
      const { status, stdout } = await outcome(spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] }));
      assert.equal(status, 0);
      assert.match(stdout, BAR);
    });
  }
});

describe('clients end at once', () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  /** A client in the middle of its work. */
  const busy = async (): Promise<ChildProcess> => {
    const child = site.start('hash', ['ping', '-n', '100000000']);
    await once(child.stdout!, 'data');
    return child;
  };

  test('on Ctrl-C, by that signal', async () => {
    const child = await busy();
    const ended = outcome(child);
    child.kill('SIGINT');
    const { signal, stderr } = await ended;
    assert.deepEqual([signal, stderr], ['SIGINT', '']);
  });

  test('when the server refuses what is being read from standard input', async () => {
    const child = site.start('hash', ['--become', 'nobody', 'gc-mark-stream', 'm']);
    // Standard input stays open.
    const { status, stderr } = await outcome(child);
    assert.equal(status, 1);
    assert.match(stderr, /^ERROR: Anonymous user is not allowed to access/);
    const marking = site.start('hash', ['gc-mark-stream', 'm']);
    const ended = outcome(marking);
    marking.stdin!.write('column without value\n');
    assert.match((await ended).stderr, /^ERROR: standard input, line 1: expected "column value/);
  });

  test('when the reader of their output goes away, without a word', async () => {
    const child = await busy();
    const ended = outcome(child);
    child.stdout!.destroy();
    const { status, stderr } = await ended;
    assert.deepEqual([status, stderr], [141, '']);
  });
});
