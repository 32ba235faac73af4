import fs from 'node:fs';
import path from 'node:path';
import { type Context, mount, temporaryFolder } from './helpers.ts';

/** A file system of its own, so small that a few seconds of reports fill it. */
export function smallDisk(t: Context, megabytes: number): string {
  const folder = temporaryFolder(t);
  mount(t, ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'bakeserv-test'], folder);
  return folder;
}

/** Takes all the space there is but `left` bytes; returns how to give it back. */
export function fill(folder: string, left: number): () => void {
  const filler = path.join(folder, 'filler');
  const descriptor = fs.openSync(filler, 'w');
  const wanted = () => {
    const { bavail, bsize } = fs.statfsSync(folder);
    return Math.min(bavail * bsize - left, 65536);
  };
  try {
    for (let size = wanted(); size > 0; size = wanted()) {
      try {
        fs.writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        // A server beside took some of it since the look.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' || wanted() >= size) throw error;
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return () => fs.rmSync(filler);
}
