import fs from 'node:fs';
import { promisify } from 'node:util';
import { createTicker } from '../../../asyncrpc/ticker.ts';
import { StorageError } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { type CheckpointMode, StoreFigures } from '../../../meter/store-figures.ts';
import type { SyncMode } from '../../../settings/config.ts';
import type { Binding } from './binding.ts';
import type { Doubt } from './doubt.ts';
import { isWriteFailure } from './errors.ts';
import type { Writer } from './writer.ts';

/** Moves committed pages from the write-ahead log into the database file, while the writer works. */
export interface Checkpointer {
  /** Called after every commit. */
  committed(): void;
  /** No more checkpoints: none may be tried after a failed write or sync, and none may write to a corrupt file. */
  stop(): void;
  /** A last checkpoint that empties the log, if the lock can be had. */
  close(): Promise<void>;
}

export interface CheckpointerOptions {
  readonly file: string;
  readonly mode: SyncMode;
  readonly maintenance: Binding;
  readonly writer: Writer;
  readonly doubt: Doubt;
  readonly log: Logger;
  readonly onFatal: (error: StorageError) => void;
  /** Whether our own check is reading the file: until it is done the log cannot be emptied. */
  readonly checking: () => boolean;
  /** Counts checkpoints and syncs. */
  readonly figures?: StoreFigures;
  /** Writes to the disk what SQLite has written to the file; rejects with the system's error, and does nothing where it cannot. */
  readonly syncFile: () => Promise<unknown>;
}

const LOOK_EVERY_MS = 50;
/** A frame of the log: a page and its header. */
const FRAME_BYTES = 4096 + 24;
/** A PASSIVE checkpoint each time this much has been added to the log, or … */
const PASSIVE_BYTES = 8 * 1024 * 1024;
/** … this long after a write. */
const PASSIVE_AFTER_MS = 1000;
/**
 * From this size the writer restarts the log, in its turn. Under constant load SQLite never does that by itself, because something
 * is always left to move; and overwriting a file costs less than making it grow. Everybody waits during that turn.
 */
const RESTART_BYTES = 48 * 1024 * 1024;
/**
 * With a few PASSIVE checkpoints before that turn each has less to move. SQLite syncs the database file only when one meets
 * the end of the log, which under load only the turn does: so each is followed by a sync of ours, or the turn would wait for
 * all that they have written. And batches are short during the last: the turn moves what came meanwhile. On a machine at
 * six times its load, turns of 31 ms (median) instead of 89, and not fewer reports.
 */
const PASSES_BEFORE_RESTART = 3;
/** A log that another program's reader has kept from shrinking up to this size is logged, and emptied once the reader is gone. */
const PINNED_BYTES = 64 * 1024 * 1024;
/** After an attempt that a reader prevented. */
const RETRY_MS = 1000;

interface CheckpointRow {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

const MODES = { passive: 'PASSIVE', restart: 'RESTART', truncate: 'TRUNCATE' } as const;

async function checkpoint(
  connection: Binding,
  mode: 'NOOP' | 'PASSIVE' | 'RESTART' | 'TRUNCATE',
): Promise<CheckpointRow> {
  const [row] = await connection.all<CheckpointRow>(`PRAGMA wal_checkpoint(${mode})`);
  return row!;
}

const open = promisify(fs.open);
const fdatasync = promisify(fs.fdatasync);
const close = promisify(fs.close);

export function createCheckpointer({
  file,
  mode,
  maintenance,
  writer,
  doubt,
  log,
  onFatal,
  checking,
  figures = new StoreFigures(),
  syncFile,
}: CheckpointerOptions): Checkpointer {
  const wal = `${file}-wal`;
  let commits = 0;
  let checkpointedCommits = 0;
  let firstDirtyAt = 0;
  let commitsSeen = 0;
  /** A reader prevented the last restart of the log: it is tried again, whether or not somebody writes. */
  let frustrated = false;
  let nextTurnAt = 0;
  let warned = false;
  let working = false;
  let closed = false;
  let syncedCommits = 0;

  async function counted(connection: Binding, how: CheckpointMode): Promise<CheckpointRow> {
    const began = performance.now();
    const row = await checkpoint(connection, MODES[how]);
    const counts = figures.checkpoints[how];
    counts.seconds.observe((performance.now() - began) / 1000);
    if (row.busy || row.checkpointed < row.log) counts.held++;
    else counts.done++;
    return row;
  }

  async function look(): Promise<void> {
    const now = performance.now();
    if (frustrated) return now < nextTurnAt ? undefined : restart(now);
    if (commits === checkpointedCommits || !(isOverdue(now) || (await hasGrown()))) return;
    const { log: frames } = await passive();
    if (frames * FRAME_BYTES >= RESTART_BYTES && !checking()) await restart(now);
  }

  async function hasGrown(): Promise<boolean> {
    if (commits === commitsSeen) return false;
    commitsSeen = commits;
    // NOOP moves nothing and takes no lock. It tells how far the log goes; its file size does not once it is being overwritten.
    const { log: frames, checkpointed } = await doubt.again(() => checkpoint(maintenance, 'NOOP'));
    return (frames - checkpointed) * FRAME_BYTES >= PASSIVE_BYTES;
  }

  function isOverdue(now: number): boolean {
    return mode.kind !== 'on_shutdown' && commits !== checkpointedCommits && now - firstDirtyAt >= PASSIVE_AFTER_MS;
  }

  async function passive(): Promise<CheckpointRow> {
    const upTo = commits;
    // Set before: one that fails, on a full disk, must not be tried again at once either.
    firstDirtyAt = performance.now();
    const row = await doubt.again(() => counted(maintenance, 'passive'));
    await flush();
    // What a reader or another server's checkpoint holds back is moved later, even if nobody writes any more.
    if (!row.busy && row.checkpointed >= row.log) checkpointedCommits = upTo;
    return row;
  }

  /** Nobody waits for it. Where it cannot be done, the turn that begins the log again does it. */
  async function flush(): Promise<void> {
    try {
      await syncFile();
    } catch (error) {
      // SQLite may never hear of it: the system tells of a failed write only once.
      onFatal(new StorageError('storage-io', `syncing ${file} failed: the disk is bad`, error));
    }
  }

  async function restart(now: number): Promise<void> {
    nextTurnAt = now + RETRY_MS;
    let bytes = 0;
    let busy = 0;
    try {
      for (let left = PASSES_BEFORE_RESTART; left > 0; left--) {
        if (closed) return;
        writer.keepShort(left === 1);
        bytes = (await passive()).log * FRAME_BYTES;
      }
      if (closed) return;
      const kind = warned ? 'truncate' : 'restart';
      ({ busy } = await writer.between((connection) => doubt.again(() => counted(connection, kind))));
    } finally {
      writer.keepShort(false);
    }
    frustrated = busy > 0;
    if (!frustrated && warned) {
      warned = false;
      log.info('the write-ahead log has been emptied again', { wal });
    } else if (frustrated && !warned && bytes >= PINNED_BYTES) {
      warned = true;
      log.warn('the write-ahead log cannot shrink: another program holds a read transaction on the database', {
        wal,
        bytes,
      });
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
      if (mustLook()) looks.wake();
    }
  }

  /** A checkpoint that cannot be made now is made later; one whose writes or syncs failed must not be tried again. */
  function putOff(error: unknown): void {
    if (isWriteFailure(error)) onFatal(error);
    else log.debug('checkpoint put off', { error });
  }

  async function sync(): Promise<void> {
    if (closed || syncedCommits === commits) return;
    const upTo = commits;
    const began = performance.now();
    try {
      const descriptor = await open(wal, 'r+');
      try {
        await fdatasync(descriptor);
      } finally {
        await close(descriptor);
      }
      syncedCommits = upTo;
      figures.syncSeconds.observe((performance.now() - began) / 1000);
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

  /** Whether time may give it something to do, without a further commit. */
  function mustLook(): boolean {
    return frustrated || commits !== (mode.kind === 'on_shutdown' ? commitsSeen : checkpointedCommits);
  }

  const looks = createTicker(LOOK_EVERY_MS, () => {
    if (!mustLook()) return false;
    void guarded(look);
    return true;
  });
  const syncs =
    mode.kind === 'periodic' &&
    createTicker(mode.seconds * 1000, () => {
      void sync();
      return syncedCommits !== commits;
    });

  function stop(): void {
    closed = true;
    looks.close();
    if (syncs) syncs.close();
  }

  return {
    stop,
    committed() {
      if (commits === checkpointedCommits) firstDirtyAt = performance.now();
      commits++;
      looks.wake();
      if (syncs) syncs.wake();
    },
    async close() {
      stop();
      try {
        await counted(maintenance, 'truncate');
      } catch (error) {
        putOff(error);
      }
    },
  };
}
