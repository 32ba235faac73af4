import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterwards, type Context } from './helpers.ts';

/** Attaches strace to all threads of a running process; resolves when it watches. */
export async function trace(t: Context, pid: number, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('strace', ['-f', ...args, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  afterwards(t, async () => {
    child.kill('SIGINT');
    await ended;
  });
  let said = '';
  child.stderr!.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (text) => {
      said += text;
      if (/attached/.test(said)) resolve();
    });
    void ended.then(() => reject(new Error(`strace ended: ${said}`)));
  });
  return child;
}
