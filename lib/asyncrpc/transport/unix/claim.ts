import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { askListener, listenOnUnixPath } from './path.ts';

/** The right to change what is at a path. */
export interface PathClaim {
  release(): void;
}

const BACKLOG = 64;
const GUARD = /^\.bs-[0-9a-f]{12}$/;

/** A socket name that nobody else has or will ever have. */
export function uniqueSocketName(): string {
  return `.bs-${randomBytes(6).toString('hex')}`;
}

/**
 * The name of the claim on a file, in the same folder; short however long the file's name is. In a folder
 * where nobody can remove another's files (such as /tmp), each user has claims of their own: nobody there can take a socket
 * away from another user either.
 */
export function claimName(name: string, folder = '.'): string {
  const sticky = ((fs.statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o1000) !== 0;
  const user = sticky ? `-${process.getuid?.() ?? 'user'}` : '';
  return `.bs-claim-${createHash('sha256').update(name).digest('hex').slice(0, 12)}${user}`;
}

/** A claim is held for milliseconds. One this old, on a socket that we may not connect to, was left behind. */
const LEFT_BEHIND_MS = 60_000;

/**
 * Claims a path among all programs that use this function: of several at once, one gets it. A claim ends with its holder, however
 * that happens: it is a symbolic link, which only one process can create, to a socket the holder listens on.
 *
 * The socket exists before the link and is removed after it, and its name is never reused. So a link to a socket that
 * nobody listens on was left by a process that died. Only whoever has claimed the link itself may remove it: of two that
 * both found it dead, the slower would otherwise remove the link that the quicker one has created since.
 * @returns null while another program holds the claim
 * @throws the system's error when the folder cannot be written
 */
export async function claimPath(target: string): Promise<PathClaim | null> {
  const guard = path.join(path.dirname(target), uniqueSocketName());
  const link = path.join(path.dirname(target), claimName(path.basename(target), path.dirname(target)));
  const server = net.createServer((socket) => socket.destroy());
  const close = () => {
    server.close();
    fs.rmSync(guard, { force: true });
  };
  try {
    // For everybody: whoever finds the claim connects to see whether its holder lives.
    await listenOnUnixPath(server, guard, BACKLOG, true);
    if (await take(link, path.basename(guard))) {
      return {
        release() {
          fs.rmSync(link, { force: true });
          close();
        },
      };
    }
  } catch (error) {
    close();
    throw error;
  }
  close();
  return null;
}

async function take(link: string, guard: string): Promise<boolean> {
  while (!makeLink(link, guard)) {
    const holder = holderOf(link);
    if (holder === null) continue;
    if (await isHeld(link, holder)) return false;
    const claim = await claimPath(link);
    if (!claim) return false;
    try {
      if (holderOf(link) === holder) {
        fs.rmSync(link);
        fs.rmSync(path.join(path.dirname(link), holder), { force: true });
      }
    } finally {
      claim.release();
    }
  }
  return true;
}

async function isHeld(link: string, holder: string): Promise<boolean> {
  const answer = await askListener(path.join(path.dirname(link), holder));
  if (answer !== 'forbidden') return answer === 'listening';
  const made = fs.lstatSync(link, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs < LEFT_BEHIND_MS;
}

function makeLink(link: string, guard: string): boolean {
  try {
    fs.symlinkSync(guard, link);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The name of the socket that a claim links to, or null if there is no claim. */
function holderOf(link: string): string | null {
  try {
    const holder = fs.readlinkSync(link);
    if (GUARD.test(holder)) return holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
  }
  throw new Error(`${link} is in the way: remove it`);
}
