import fs from 'node:fs';
import { promisify } from 'node:util';
import type { SyncMode } from '../../config.ts';
import { StorageError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { type Binding, isIoError } from './binding.ts';
import type { Writer } from './writer.ts';

/** Moves committed pages from the write-ahead log into the database file, beside the writer. */
export interface Checkpointer {
  /** Told after every commit. */
  committed(): void;
  /** A last checkpoint that empties the log, if the lock can be had. */
  close(): Promise<void>;
}

export interface CheckpointerOptions {
  readonly file: string;
  readonly mode: SyncMode;
  readonly maintenance: Binding;
  readonly writer: Writer;
  readonly log: Logger;
  readonly onFatal: (error: StorageError) => void;
  /** Whether a check of our own reads the file: until it is done the log cannot be emptied. */
  readonly checking: () => boolean;
}

const LOOK_EVERY_MS = 50;
/** A PASSIVE checkpoint each time the log has grown by this much … */
const PASSIVE_BYTES = 4 * 1024 * 1024;
/** … but not more often than this: each syncs the database file, which the commits wait for … */
const PASSIVE_EVERY_MS = 250;
/** … or this long after a write. */
const PASSIVE_AFTER_MS = 1000;
/** A log of this size is emptied in the writer's turn, and warned about when a reader outside keeps it from shrinking. */
const TRUNCATE_BYTES = 64 * 1024 * 1024;
const RETRY_TRUNCATE_MS = 1000;

interface CheckpointRow {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

const stat = promisify(fs.stat);
const open = promisify(fs.open);
const fdatasync = promisify(fs.fdatasync);
const close = promisify(fs.close);

export function createCheckpointer({
  file,
  mode,
  maintenance,
  writer,
  log,
  onFatal,
  checking,
}: CheckpointerOptions): Checkpointer {
  const wal = `${file}-wal`;
  let commits = 0;
  let checkpointedCommits = 0;
  let firstDirtyAt = 0;
  let sizeAtLast = 0;
  let lastPassiveAt = 0;
  let nextTruncateAt = 0;
  let pinned = false;
  let working = false;
  let closed = false;
  let syncedCommits = 0;

  const size = async () => (await stat(wal).catch(() => null))?.size ?? 0;

  async function look(): Promise<void> {
    if (commits === checkpointedCommits && !pinned) return;
    const now = performance.now();
    const bytes = await size();
    if (bytes >= TRUNCATE_BYTES && now >= nextTruncateAt && !checking()) await truncate(bytes, now);
    else if (isOverdue(now) || (bytes - sizeAtLast >= PASSIVE_BYTES && now - lastPassiveAt >= PASSIVE_EVERY_MS))
      await passive();
  }

  function isOverdue(now: number): boolean {
    return mode.kind !== 'on_shutdown' && commits !== checkpointedCommits && now - firstDirtyAt >= PASSIVE_AFTER_MS;
  }

  async function passive(): Promise<void> {
    const upTo = commits;
    const [row] = await maintenance.all<CheckpointRow>('PRAGMA wal_checkpoint(PASSIVE)');
    // What a reader holds back is moved when it is done, also if nobody writes any more.
    if (!row || row.checkpointed >= row.log) checkpointedCommits = upTo;
    lastPassiveAt = performance.now();
    firstDirtyAt = lastPassiveAt;
    // Once everything was moved the writer starts the log from its beginning, and the file does not grow until it passes here.
    sizeAtLast = row && row.checkpointed >= row.log ? 0 : await size();
  }

  /** First beside the writer, which moves nearly everything; then in its turn, which is short. */
  async function truncate(bytes: number, now: number): Promise<void> {
    await passive();
    const [row] = await writer.between((connection) =>
      connection.all<CheckpointRow>('PRAGMA wal_checkpoint(TRUNCATE)'),
    );
    nextTruncateAt = now + RETRY_TRUNCATE_MS;
    if (row?.busy && !pinned) {
      pinned = true;
      log.warn('the write-ahead log cannot shrink: another program holds a read transaction on the database', {
        wal,
        bytes,
      });
    } else if (!row?.busy && pinned) {
      pinned = false;
      log.info('the write-ahead log has been emptied again', { wal });
    }
  }

  async function guarded(task: () => Promise<void>): Promise<void> {
    if (working || closed) return;
    working = true;
    try {
      await task();
    } catch (error) {
      putOff(error);
    } finally {
      working = false;
    }
  }

  /** A checkpoint that cannot be made now is made later; one whose writes or syncs failed must not be tried again. */
  function putOff(error: unknown): void {
    if (error instanceof StorageError && (error.code === 'storage-corrupt' || isIoError(error))) onFatal(error);
    else log.debug('checkpoint put off', { error });
  }

  async function sync(): Promise<void> {
    if (closed || syncedCommits === commits) return;
    const upTo = commits;
    try {
      const descriptor = await open(wal, 'r+');
      try {
        await fdatasync(descriptor);
      } finally {
        await close(descriptor);
      }
      syncedCommits = upTo;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      onFatal(
        new StorageError(
          'storage-io',
          `syncing ${wal} failed: answers since the last sync may not survive a power cut`,
          error,
        ),
      );
    }
  }

  const timers = [setInterval(() => void guarded(look), LOOK_EVERY_MS)];
  if (mode.kind === 'periodic') timers.push(setInterval(() => void sync(), mode.seconds * 1000));
  for (const timer of timers) timer.unref();

  return {
    committed() {
      if (commits === checkpointedCommits) firstDirtyAt = performance.now();
      commits++;
    },
    async close() {
      closed = true;
      for (const timer of timers) clearInterval(timer);
      try {
        await maintenance.all('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch (error) {
        putOff(error);
      }
    },
  };
}
