import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterwards, type Context } from './helpers.ts';

const CONTRIB = fileURLToPath(new URL('../../contrib/', import.meta.url));

/** An example of contrib/, with each of these texts, all of which must be in it, replaced by another. */
export function example(file: string, changes: Readonly<Record<string, string>>): string {
  let text = fs.readFileSync(path.join(CONTRIB, file), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/**
 * Runs a proxy until the test is over; resolves when it listens on a port.
 * @returns what it has said so far
 */
export async function runProxy(t: Context, command: readonly string[], port: number): Promise<() => string> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  let running = true;
  const ended = once(child, 'close').then(() => {
    running = false;
  });
  afterwards(t, async () => {
    child.kill('SIGTERM');
    await ended;
  });
  while (!(await isListening(port))) if (!running) throw new Error(`${command[0]} ended: ${said}`);
  return () => said;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
