import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterwards, type Context, eventually, temporaryFolder } from './helpers.ts';
import { output } from './home-helpers.ts';

/** What a service manager was told. */
export interface Heard {
  /** A line for each message. */
  lines(): readonly string[];
  /** Resolves once a message matches. */
  said(pattern: RegExp): Promise<void>;
}

const heard = (lines: () => readonly string[]): Heard => ({
  lines,
  said: (pattern) =>
    eventually(20_000, async () =>
      assert.ok(
        lines().some((line) => pattern.test(line)),
        `${pattern}: ${lines()}`,
      ),
    ),
});

/** A `systemd-notify` that writes down what it is called with, and the PATH that leads to it. */
export function fakeNotify(t: Context): Heard & { readonly path: string } {
  const folder = temporaryFolder(t);
  const record = path.join(folder, 'record');
  fs.writeFileSync(record, '');
  const script = `#!/bin/sh\nprintf '%s %s\\n' "$NOTIFY_SOCKET" "$*" >> '${record}'\n`;
  fs.writeFileSync(path.join(folder, 'systemd-notify'), script, { mode: 0o755 });
  const lines = () => fs.readFileSync(record, 'utf8').split('\n').slice(0, -1);
  return { ...heard(lines), path: `${folder}:${process.env.PATH}` };
}

/** A service manager's end of the socket. */
export async function receiver(t: Context, address: string): Promise<Heard> {
  const program = path.join(temporaryFolder(t), 'receiver');
  const source = path.join(import.meta.dirname, 'notify-receiver.c');
  const { status, stderr } = spawnSync('cc', ['-o', program, source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const child = spawn(program, [address], { stdio: ['ignore', 'pipe', 'inherit'] });
  afterwards(t, () => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  await output(child as never, /bound/);
  return heard(() => text.split('\n').slice(1, -1));
}
