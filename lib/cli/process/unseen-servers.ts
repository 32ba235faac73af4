import fs from 'node:fs';
import path from 'node:path';
import type { ServerStatus } from './control.ts';
import { controlSocket } from './control-folder.ts';

/** A process that looks like a server but did not answer. */
export interface UnseenServer {
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
  /**
   * Its control socket would be in our folder, but there is none: it has not opened it yet, or has closed it already. Others have theirs
   * where we cannot look.
   */
  readonly isBetween: boolean;
}

/** Commands that always serve; others only do with an option. */
const SERVING = ['serve', 'bitbake-hashserv'];
const TOLD = ['auto', 'stage', 'bitbake-prserv'];
const PROGRAMS = ['launch.cjs', 'bakeserv'];

/**
 * Servers among the processes of this machine that did not answer: those of other users, or with another temporary
 * folder, and those that have not started yet. Empty where the system does not show (other users') processes.
 * @param folder our control sockets
 */
export function unseenServers(seen: readonly Pick<ServerStatus, 'pid'>[], folder: string): UnseenServer[] {
  const answered = new Set(seen.map(({ pid }) => pid));
  return processes().flatMap((pid) => {
    if (answered.has(pid)) return [];
    const command = servingCommand(pid);
    if (command === null) return [];
    const uid = fs.statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0;
    return [{ pid, uid, command, isBetween: uid === process.getuid?.() && isBetween(pid, folder) }];
  });
}

/** Whether a process of this user has our temporary folder, and no control socket there. */
function isBetween(pid: number, folder: string): boolean {
  try {
    const given = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const named = (name: string) => given.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
    // As os.tmpdir() finds it.
    const tmp = named('TMPDIR') || named('TMP') || named('TEMP') || '/tmp';
    // As that process sees it: a service may have a /tmp of its own.
    const theirs = fs.statSync(path.join(`/proc/${pid}/root`, tmp, path.basename(folder)));
    const ours = fs.statSync(folder);
    return theirs.ino === ours.ino && theirs.dev === ours.dev && !fs.existsSync(controlSocket(folder, pid));
  } catch {
    return false;
  }
}

function processes(): number[] {
  try {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** The subcommand of a process if it is a server, or null. */
function servingCommand(pid: number): string | null {
  let words: string[];
  try {
    words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return null;
  }
  // Node, its own options, the program, the subcommand.
  const at = words.findIndex((word, i) => i > 0 && PROGRAMS.includes(path.basename(word)));
  if (at < 0 || !/^(node|nodejs)/.test(path.basename(words[0]!))) return null;
  const command = words[at + 1] ?? '';
  if (SERVING.includes(command)) return command;
  return TOLD.includes(command) && words.includes('--foreground') ? command : null;
}
