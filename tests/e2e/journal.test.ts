import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type Context, LAUNCHER, temporaryFolder } from './helpers.ts';

/** The log of a server that starts and stops, with its stderr on a file that `journal` may name as the journal. */
async function logOf(t: Context, journal: (stderr: string) => string | undefined, args: readonly string[] = []) {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'stderr');
  const descriptor = fs.openSync(file, 'w');
  const { dev, ino } = fs.fstatSync(descriptor, { bigint: true });
  const stream = journal(`${dev}:${ino}`);
  const env = {
    PATH: process.env.PATH,
    TMPDIR: folder,
    ...(stream && { JOURNAL_STREAM: stream }),
    BAKESERV_NO_SUCH: 'a warning',
  };
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--bind', 'unix://./s', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', descriptor],
  });
  fs.closeSync(descriptor);
  t.after(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  return { folder, lines: fs.readFileSync(file, 'utf8').trimEnd().split('\n') };
}

describe('the priorities of log lines', { concurrency: true }, () => {
  test('stand before each line where stderr goes to the journal, by its level', async (t) => {
    const { lines } = await logOf(t, (stderr) => stderr);
    for (const line of lines) assert.match(line, /^(<6>\S+ info|<4>\S+ warn): /);
    assert.ok(lines.some((line) => /^<4>\S+ warn: BAKESERV_NO_SUCH /.test(line)));
    assert.ok(lines.some((line) => /^<6>\S+ info: listening on /.test(line)));
  });

  test('stand before JSON too, which the journal then holds without them', async (t) => {
    const { lines } = await logOf(t, (stderr) => stderr, ['--log-format', 'json']);
    for (const line of lines) {
      const [, priority, json] = /^<(\d)>(.*)$/.exec(line)!;
      assert.equal(priority, { info: '6', warn: '4' }[JSON.parse(json!).level as 'info' | 'warn']);
    }
  });

  test('are left out where stderr is not the journal that the variable names, and without it', async (t) => {
    for (const journal of [() => '1:2', () => undefined]) {
      const { lines } = await logOf(t, journal);
      for (const line of lines) assert.match(line, /^\d{4}-\S+ (info|warn): /);
    }
  });

  test('are left out of a log file', async (t) => {
    const { folder } = await logOf(t, (stderr) => stderr, ['--log-file', 'log']);
    for (const line of fs.readFileSync(path.join(folder, 'log'), 'utf8').trimEnd().split('\n'))
      assert.match(line, /^\d{4}-/);
  });
});
