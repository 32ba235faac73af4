import fs from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import { AddressError, reasonOf } from '../../../errors.ts';
import { claimPath, uniqueSocketName } from './claim.ts';
import { isListening, listenOnUnixPath } from './path.ts';

/** Who may connect to a socket file; the process's umask and group decide what is not given. */
export interface SocketAccess {
  /** As in chmod. */
  readonly mode?: number | undefined;
  /** The number of a group. */
  readonly group?: number | undefined;
}

/**
 * Binds a server to a Unix socket path of any length. A socket file that nobody listens on is replaced, that of a live
 * server is not, even when several servers start at once: each must claim the path before it looks at it and takes it.
 * The socket is bound under a temporary name and then renamed, so that whoever finds it there gets an answer.
 * @returns removes our socket file, and only ours. Must be called while the server still listens: from then on another
 * may take the path
 * @throws AddressError when a server is listening or about to listen there, or something other than a socket is in the way
 */
export async function bindUnixSocket(
  server: net.Server,
  socketPath: string,
  backlog: number,
  access: SocketAccess = {},
): Promise<() => void> {
  const target = path.resolve(socketPath);
  const temporary = path.join(path.dirname(target), uniqueSocketName());
  let own: fs.Stats | undefined;
  // Before the claim too: that fails in a folder that cannot be written, which would be the wrong thing to report.
  await refuseIfTaken(target);
  try {
    await underClaim(target, async () => {
      await refuseIfTaken(target);
      await listenOnUnixPath(server, temporary, backlog);
      // Before it has its name, so that nobody connects who may not.
      if (access.group !== undefined) fs.chownSync(temporary, -1, access.group);
      if (access.mode !== undefined) fs.chmodSync(temporary, access.mode);
      own = fs.statSync(temporary);
      fs.renameSync(temporary, target);
    });
  } catch (error) {
    server.close();
    fs.rmSync(temporary, { force: true });
    if (error instanceof AddressError) throw error;
    throw new AddressError(`cannot listen on unix://${socketPath}: ${reasonOf(error)}`, error);
  }
  return () => {
    const now = fs.lstatSync(target, { throwIfNoEntry: false });
    if (now && now.ino === own!.ino && now.dev === own!.dev) fs.rmSync(target, { force: true });
  };
}

/** Removes a socket file that nobody listens on; leaves any other, including one that a server is just creating. */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const target = path.resolve(socketPath);
  const claim = await claimPath(target);
  if (!claim) return;
  try {
    const found = fs.lstatSync(target, { throwIfNoEntry: false });
    if (found?.isSocket() && !(await isListening(target))) fs.rmSync(target, { force: true });
  } finally {
    claim.release();
  }
}

async function underClaim(target: string, use: () => Promise<void>): Promise<void> {
  const claim = await claimPath(target);
  if (!claim) {
    throw new AddressError(
      `cannot listen on unix://${target}: another server is starting there; stop it or choose another path`,
    );
  }
  try {
    await use();
  } finally {
    claim.release();
  }
}

async function refuseIfTaken(target: string): Promise<void> {
  const found = fs.lstatSync(target, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new AddressError(`cannot listen on unix://${target}: a file that is no socket is in the way`);
  if (!(await isListening(target))) return;
  throw new AddressError(
    `cannot listen on unix://${target}: another server is listening there; stop it or choose another path`,
  );
}
