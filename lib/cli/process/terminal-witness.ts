import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** Tells a signal of the terminal's keys, which reaches a whole group of processes, from one sent to us alone. */
export interface Witness {
  /** Whether the signal we just had reached the group. */
  reached(): Promise<boolean>;
  close(): void;
}

/** The system signals a group in one go, so that this is for a machine that is very busy. */
const GRACE_MS = 500;

/**
 * A program in our group that any of those signals ends, and that does nothing: no system call says where a signal came
 * from. Its standard input is ours, so that it ends with us. It leaves no core file.
 */
export function createWitness(): Witness {
  let program: ChildProcess | null = start();
  let died: Promise<boolean> = ended(program);

  function start(): ChildProcess {
    const child = spawn('sh', ['-c', 'ulimit -c 0; exec cat'], { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    child.unref();
    (child.stdin as unknown as { unref?: () => void }).unref?.();
    child.stdin!.on('error', () => {});
    return child;
  }

  return {
    async reached() {
      const asked = died;
      const reached = await Promise.race([asked, pause(GRACE_MS, false)]);
      // Several signals may have asked about the same one.
      if (reached && program && asked === died) {
        program = start();
        died = ended(program);
      }
      return reached;
    },
    close() {
      program?.kill('SIGKILL');
      program = null;
    },
  };
}

/** Where there is no such program, the signal counts as the terminal's: twice is worse than never. */
function ended(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve(true));
    child.once('error', () => resolve(true));
  });
}
