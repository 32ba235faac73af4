import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** Distinguishes a signal of a terminal key, which reaches the whole process group, from one sent only to us. */
export interface Witness {
  /** Whether the signal just received reached the whole group. */
  reached(): Promise<boolean>;
  close(): void;
}

/** The system signals a group in one go: this allows for a very busy machine. */
const GRACE_MS = 500;

/**
 * An idle program in our process group that any of those signals ends: no system call tells where a signal came from.
 * Its standard input is a pipe from us, so it ends with us. It leaves no core file.
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

/** Without that program, a signal counts as the terminal's: passing it twice is worse than not passing it. */
function ended(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve(true));
    child.once('error', () => resolve(true));
  });
}
