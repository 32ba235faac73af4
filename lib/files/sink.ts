import fs from 'node:fs';
import { InvokeError, reasonOf } from '../errors.ts';

/**
 * Where rows are written. A file is written next to its place and moved there when it is complete: until then the old
 * file stays, whatever happens.
 */
export interface Sink {
  write(text: string): Promise<void>;
  /** Everything is written: syncs it to disk and moves it to its place. */
  commit(): Promise<void>;
  /**
   * Gives up: the old file stays. Does nothing after `commit`.
   * @param keep keeps what was written, to be resumed later
   */
  abandon(keep?: boolean): Promise<void>;
}

/** Where a file is written until it is complete. */
export function partOf(file: string): string {
  return `${placeOf(file)}.part`;
}

/** The target of a link: the link itself stays. */
function placeOf(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/**
 * Opens a file, or standard output for `-`. A pipe or a device is written to directly.
 * @param goOn appends to the part file
 * @throws InvokeError naming the file
 */
export async function openSink(file: string, goOn = false): Promise<Sink> {
  if (file === '-')
    return { write: (text) => write(process.stdout, text), commit: async () => {}, abandon: async () => {} };
  const place = placeOf(file);
  const there = fs.statSync(place, { throwIfNoEntry: false });
  if (there && !there.isFile()) return openAsItIs(file);
  const part = partOf(file);
  const handle = await openPart(part, goOn, there?.mode).catch((error) => {
    throw new InvokeError(`cannot write ${part}: ${reasonOf(error)}`, error);
  });
  const failed = (error: unknown): never => {
    throw new InvokeError(`cannot write ${file}: ${reasonOf(error)}`, error);
  };
  let open = true;
  return {
    // Not FileHandle.write, which may write only a part.
    write: (text) => handle.appendFile(text).catch(failed),
    async commit() {
      try {
        await handle.sync();
        const [ours, there] = [await handle.stat(), fs.statSync(part, { throwIfNoEntry: false })];
        if (there?.ino !== ours.ino) throw new InvokeError(`${file} is being written by another export`);
        fs.renameSync(part, place);
        open = false;
      } catch (error) {
        if (error instanceof InvokeError) throw error;
        failed(error);
      } finally {
        await handle.close();
      }
    },
    async abandon(keep = false) {
      if (!open) return;
      open = false;
      await handle.close().catch(() => {});
      if (!keep) fs.rmSync(part, { force: true });
    },
  };
}

/** Opens the part. One of an export that is not resumed is removed, not truncated: somebody may still be writing to it. */
async function openPart(part: string, goOn: boolean, mode: number | undefined): Promise<fs.promises.FileHandle> {
  if (!goOn) fs.rmSync(part, { force: true });
  const handle = await fs.promises.open(part, goOn ? 'a' : 'wx');
  if (mode !== undefined) await handle.chmod(mode & 0o777).catch(() => {});
  return handle;
}

async function openAsItIs(file: string): Promise<Sink> {
  const failed = (error: unknown): never => {
    throw new InvokeError(`cannot write ${file}: ${reasonOf(error)}`, error);
  };
  const handle = await fs.promises.open(file, 'w').catch(failed);
  const close = () => handle.close().catch(() => {});
  return { write: (text) => handle.appendFile(text).catch(failed), commit: close, abandon: close };
}

/** Resolves once the stream takes more. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (stream.write(text)) return Promise.resolve();
  return new Promise((resolve) => stream.once('drain', resolve));
}
