import fs from 'node:fs';
import path from 'node:path';

/** A database file and its surroundings. */
export interface FileSizes {
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly freeBytes: number;
}

/** What the system says of this process and of its files, as it was asked last. */
export interface ProcessFigures {
  readonly memory: NodeJS.MemoryUsage;
  /** In seconds since 1970. */
  readonly startedAt: number;
  /** Null where the system does not tell. */
  readonly openDescriptors: number | null;
  readonly maxDescriptors: number | null;
  /** By database file. */
  readonly files: ReadonlyMap<string, FileSizes>;
  /**
   * Asks again; resolves when it has the answers, or after a moment without them: a disk may hang.
   * @param maxAgeMs what was asked less than so long ago is not asked again
   */
  refresh(maxAgeMs: number): Promise<void>;
}

/** A scrape waits no longer for the file system. */
const PATIENCE_MS = 250;

export function createProcessFigures(databaseFiles: readonly string[]): ProcessFigures {
  const files = new Map<string, FileSizes>();
  const startedAt = Date.now() / 1000 - process.uptime();
  let memory = process.memoryUsage();
  let openDescriptors: number | null = null;
  let maxDescriptors: number | null = null;
  let asking: Promise<unknown> | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;

  async function lookAtFile(file: string): Promise<void> {
    // Only looked at from outside: a descriptor of our own on the file would drop SQLite's locks when it is closed.
    const [databaseBytes, walBytes, disk] = await Promise.all([
      sizeOf(file),
      sizeOf(`${file}-wal`),
      fs.promises.statfs(path.dirname(file)),
    ]);
    files.set(file, { databaseBytes, walBytes, freeBytes: disk.bavail * disk.bsize });
  }

  async function lookAtProcess(): Promise<void> {
    // The descriptor that reads the folder is among them.
    openDescriptors = (await fs.promises.readdir('/proc/self/fd')).length - 1;
    const limits = await fs.promises.readFile('/proc/self/limits', 'utf8');
    const most = /^Max open files\s+(\d+)/m.exec(limits);
    maxDescriptors = most ? Number(most[1]) : null;
  }

  return {
    get memory() {
      return memory;
    },
    startedAt,
    get openDescriptors() {
      return openDescriptors;
    },
    get maxDescriptors() {
      return maxDescriptors;
    },
    files,
    async refresh(maxAgeMs) {
      if (performance.now() - askedAt < maxAgeMs) return;
      try {
        memory = process.memoryUsage();
      } catch {
        // Node reads it from a file: with no descriptor left, what was seen last must do.
      }
      asking ??= Promise.allSettled([lookAtProcess(), ...databaseFiles.map(lookAtFile)]).finally(() => {
        asking = null;
      });
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      await Promise.race([asking, enough]);
      clearTimeout(timer);
      askedAt = performance.now();
    },
  };
}

/** 0 when there is none. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await fs.promises.stat(file)).size;
  } catch {
    return 0;
  }
}
