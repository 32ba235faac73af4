import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { AddressError } from '../errors.ts';

/** The longest path a Unix socket address holds, in bytes: 108 with the closing NUL on Linux, 104 elsewhere. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * Binds a server to a Unix socket path of any length. A socket file that nobody listens on is replaced, one of a live
 * server is not. The socket is bound under a temporary name and renamed, so at no moment does a path lead nowhere.
 * @returns removes our socket file, and only ours: a file that another server put there stays
 * @throws AddressError when a server is listening there, or something other than a socket is in the way
 */
export async function bindUnixSocket(server: net.Server, socketPath: string, backlog: number): Promise<() => void> {
  const target = path.resolve(socketPath);
  await removeStaleSocket(target);
  const temporary = path.join(path.dirname(target), `.bs-${randomBytes(6).toString('hex')}`);
  try {
    await withShortPath(temporary, (short) => {
      return new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ path: short, backlog }, () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
    });
    fs.renameSync(temporary, target);
  } catch (error) {
    server.close();
    fs.rmSync(temporary, { force: true });
    throw new AddressError(`cannot listen on unix://${socketPath}: ${(error as Error).message}`, error);
  }
  const { ino, dev } = fs.statSync(target);
  return () => {
    const now = fs.statSync(target, { throwIfNoEntry: false });
    if (now && now.ino === ino && now.dev === dev) fs.rmSync(target, { force: true });
  };
}

/** Connects to a Unix socket path of any length. */
export function connectUnixSocket(socketPath: string): net.Socket {
  const target = path.resolve(socketPath);
  if (Buffer.byteLength(target) <= MAX_SOCKET_PATH) return net.connect({ path: target });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bs-'));
  const link = path.join(folder, 's');
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  try {
    fs.symlinkSync(target, link);
    // The address is resolved by the connect call, which Node makes before it returns.
    return net.connect({ path: link });
  } finally {
    remove();
  }
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

async function removeStaleSocket(target: string): Promise<void> {
  const found = fs.lstatSync(target, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new AddressError(`cannot listen on unix://${target}: a file that is no socket is in the way`);
  if (await answers(target)) {
    throw new AddressError(
      `cannot listen on unix://${target}: another server is listening there; stop it or choose another path`,
    );
  }
  const now = fs.lstatSync(target, { throwIfNoEntry: false });
  if (now?.ino === found.ino) fs.rmSync(target, { force: true });
}

/** Whether somebody listens on the socket file. */
function answers(target: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectUnixSocket(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A full queue or a refused permission also mean that somebody is there.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
