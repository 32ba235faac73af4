import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { removeStaleSocket } from '../../asyncrpc/transport/unix/socket.ts';
import { ConfigError, reasonOf } from '../../errors.ts';
import type { ServerStatus } from './control.ts';
import { askStatus } from './control-client.ts';

/** A server that answers, and where. */
export interface FoundServer {
  readonly status: ServerStatus;
  readonly control: string;
  /** The control socket is in the folder of this user, where more than questions may be asked. */
  readonly isOwn: boolean;
}

/**
 * The folder of this user's control sockets; created if necessary.
 * @throws ConfigError when it cannot be created, or somebody else could write to it
 */
export function controlFolder(): string {
  const folder = path.join(os.tmpdir(), `bakeserv-${process.getuid?.() ?? 'user'}`);
  try {
    // Not `recursive`: a missing temporary folder is a wrong TMPDIR, and must not be created.
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new ConfigError(`cannot make the folder ${folder}: ${reason(error)}; set TMPDIR to a folder`, error);
  }
  const found = fs.lstatSync(folder);
  const ours = process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o077) === 0);
  if (found.isDirectory() && ours) return folder;
  throw new ConfigError(`${folder} is not a folder that only this user can write: remove it, or set TMPDIR`);
}

/** The control socket of a server, by its process. */
export function controlSocket(folder: string, pid: number): string {
  return path.join(folder, `${pid}.sock`);
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no ${os.tmpdir()}` : reasonOf(error);
}

/** Where a service of another user, or with its own temporary folder, lets everybody ask for its status. */
const SERVICE_FOLDERS = '/run';
export const SERVICE_STATUS = 'status.sock';

/** The folder that systemd made for this service (RuntimeDirectory=), or null. */
export function runtimeFolder(environment: NodeJS.ProcessEnv): string | null {
  return environment.RUNTIME_DIRECTORY?.split(':')[0] || null;
}

/**
 * Every server that answers this user, longest running first: the user's own, and services in the folders systemd gave
 * them. Removes socket files of this user that nobody listens on.
 */
export async function runningServers(environment: NodeJS.ProcessEnv): Promise<FoundServer[]> {
  const folder = controlFolder();
  const own = fs.readdirSync(folder).filter((name) => name.endsWith('.sock'));
  const answers = await Promise.all([
    ...own.map((name) => look(path.join(folder, name), true)),
    ...serviceSockets(environment).map((file) => look(file, false)),
  ]);
  const found = new Map<number, FoundServer>();
  for (const each of answers) if (each && !found.has(each.status.pid)) found.set(each.status.pid, each);
  return [...found.values()].sort((a, b) => a.status.started.localeCompare(b.status.started));
}

function serviceSockets(environment: NodeJS.ProcessEnv): string[] {
  const named = runtimeFolder(environment);
  const folders = named === null ? [] : [named];
  try {
    for (const name of fs.readdirSync(SERVICE_FOLDERS))
      if (name.startsWith('bakeserv')) folders.push(path.join(SERVICE_FOLDERS, name));
  } catch {
    // No such folder on this system.
  }
  return [...new Set(folders)].map((folder) => path.join(folder, SERVICE_STATUS)).filter((file) => fs.existsSync(file));
}

async function look(control: string, ours: boolean): Promise<FoundServer | null> {
  const status = await askStatus(control).catch(() => undefined);
  if (status) return { status, control, isOwn: ours };
  if (status === null && ours) await removeStaleSocket(control);
  return null;
}
