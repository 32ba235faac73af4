import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** The longest path a Unix socket address holds, in bytes: 108 with the closing NUL on Linux, 104 elsewhere. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Connects to a Unix socket path of any length. */
export function connectUnixSocket(socketPath: string): net.Socket {
  const target = path.resolve(socketPath);
  if (Buffer.byteLength(target) <= MAX_SOCKET_PATH) return net.connect({ path: target });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bs-'));
  const link = path.join(folder, 's');
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  try {
    fs.symlinkSync(target, link);
    // The path is resolved by the connect call, which Node makes before it returns.
    return net.connect({ path: link });
  } finally {
    remove();
  }
}

/**
 * Listens on a new socket file, whose absolute path may have any length.
 * @param forAll whether every user may connect
 * @throws the system's error
 */
export function listenOnUnixPath(server: net.Server, target: string, backlog: number, forAll = false): Promise<void> {
  return withShortPath(target, (short) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: short, backlog, readableAll: forAll, writableAll: forAll }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  });
}

/** Whether somebody listens on the socket file; true also where we may not connect to find out. */
export async function isListening(target: string): Promise<boolean> {
  return (await askListener(target)) !== 'nobody';
}

/** The same, with an answer of its own for a socket that we may not connect to. */
export function askListener(target: string): Promise<'listening' | 'nobody' | 'forbidden'> {
  return new Promise((resolve) => {
    const socket = connectUnixSocket(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve('listening');
    });
    // A full queue means that somebody is there, too.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EACCES') return resolve('forbidden');
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'nobody' : 'listening');
    });
  });
}

/** Calls `use` with a path that leads to `target` and fits a socket address. */
async function withShortPath(target: string, use: (short: string) => Promise<void>): Promise<void> {
  if (Buffer.byteLength(target) <= MAX_SOCKET_PATH) return use(target);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bs-'));
  try {
    fs.symlinkSync(path.dirname(target), path.join(folder, 'd'));
    await use(path.join(folder, 'd', path.basename(target)));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
