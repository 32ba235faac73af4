import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { freePort } from '../free-port.ts';
import { unprivileged } from './server.ts';
import { until } from './until.ts';

/** A PgBouncer in transaction mode. */
export interface Pooler {
  readonly port: number;
  /** Ends it at once, with every connection through it, and starts another. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether this PgBouncer can prepare statements for its clients: from 1.21 on. */
export function poolerPrepares(): boolean {
  const said = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 1 || Number(minor) >= 21;
}

/** Starts one in front of a server's port. @param folder of nobody else's */
export async function startPooler(to: number, folder: string, settings: readonly string[] = []): Promise<Pooler> {
  const port = await freePort();
  const file = path.join(folder, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `* = host=127.0.0.1 port=${to} user=bakeserv`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    // Fewer than one server keeps, so that its connections share them.
    'default_pool_size = 3',
    // Otherwise it does not try again for 15 s.
    'server_login_retry = 1',
    ...settings,
  ];
  fs.writeFileSync(file, `${lines.join('\n')}\n`);
  const owner = unprivileged(folder);
  const log = fs.openSync(path.join(folder, 'pgbouncer.log'), 'a');
  let child: ChildProcess;
  const start = async () => {
    child = spawn('pgbouncer', [file], { ...owner, stdio: ['ignore', 'ignore', log] });
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', () => reject(new Error(fs.readFileSync(path.join(folder, 'pgbouncer.log'), 'utf8'))));
    });
    ended.catch(() => {});
    await Promise.race([until(() => isListening(port)), ended]);
  };
  const stop = async () => {
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await over;
  };
  await start();
  return {
    port,
    stop,
    async restart() {
      await stop();
      await start();
    },
  };
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
