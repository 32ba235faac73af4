import fs from 'node:fs';
import path from 'node:path';
import type { ServerStatus } from './control.ts';

/** A process that looks like a server but did not answer. */
export interface UnseenServer {
  readonly pid: number;
  readonly uid: number;
  readonly command: string;
}

/** Commands that always serve; others only do with an option. */
const SERVING = ['serve', 'bitbake-hashserv'];
const TOLD = ['auto', 'bitbake-prserv'];
const PROGRAMS = ['launch.cjs', 'bakeserv'];

/**
 * Servers among the processes of this machine that did not answer: those of other users, or with another temporary
 * folder. Empty where the system does not show (other users') processes.
 */
export function unseenServers(seen: readonly Pick<ServerStatus, 'pid'>[]): UnseenServer[] {
  const answered = new Set(seen.map(({ pid }) => pid));
  return processes().flatMap((pid) => {
    if (answered.has(pid)) return [];
    const command = servingCommand(pid);
    return command === null
      ? []
      : [{ pid, uid: fs.statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0, command }];
  });
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
