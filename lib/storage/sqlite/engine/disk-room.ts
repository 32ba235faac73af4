import fs from 'node:fs';
import path from 'node:path';
import { StorageError } from '../../../errors.ts';
import type { Binding } from './binding.ts';
import { retryWhileBusy } from './busy.ts';
import { fileSize } from './connections.ts';

/** Keeps enough of the disk free for the next checkpoint. */
export interface DiskRoom {
  /**
   * Must be called before a write of about so many bytes and rows. Null if there is room; otherwise a promise that rejects with
   * storage-full if no room can be made. Only while no transaction runs.
   */
  need(connection: Binding, bytes: number, rows: number): Promise<void> | null;
}

/** A frame of the log: a page and its header. */
const FRAME_BYTES = 4096 + 24;
/** Pages of indexes and tables that change in addition to what is stored: usually with each row, and with each commit. */
const ROW_BYTES = 2 * FRAME_BYTES;
const COMMIT_BYTES = 8 * FRAME_BYTES;
/** For errors of the estimate, and for garbage collections, which need little and make room. */
const RESERVE_BYTES = 256 * 1024;
/** The disk is checked again after this much, because others fill it too. */
const LOOK_EVERY_BYTES = 64 * 1024 * 1024;
/** How long the log may be kept from being emptied, by a reader or by our own checkpoint, before a write is refused for it. */
const EMPTY_WITHIN_MS = 1000;

/** How large the file will be once all of the log is moved, and how much of that is empty pages. */
const FILE_SIZE = `
SELECT page_count * page_size AS bytes, freelist_count * page_size AS empty
FROM pragma_page_count, pragma_page_size, pragma_freelist_count`;

/**
 * A log that has filled the disk can never be moved into the file, which would have to grow: then no space
 * is freed, whatever is deleted. So writes are refused while there is still room to move what is in the log.
 * @param freeBytes of the disk that a folder is on
 */
export function createDiskRoom(file: string, freeBytes = freeOnDisk): DiskRoom {
  const wal = `${file}-wal`;
  /** How much may be written until the disk is checked again. */
  let spare = 0;

  /** How much may be written, to the log and then to the file, which has empty pages or grows. */
  async function look(connection: Binding): Promise<number> {
    const [state] = await connection.all<{ log: number }>('PRAGMA wal_checkpoint(NOOP)');
    const [size] = await connection.all<{ bytes: number; empty: number }>(FILE_SIZE);
    // The log file's unused end is overwritten before it grows. A restart of the log is not counted on.
    const reused = Math.max(0, fileSize(wal) - state!.log * FRAME_BYTES);
    const owed = Math.max(0, size!.bytes - fileSize(file));
    // Last: a checkpoint may move some of the log into the file meanwhile. That must not be taken for free and for done.
    const free = await freeBytes(path.dirname(file));
    return mostBytes(free - owed - RESERVE_BYTES, reused, size!.empty);
  }

  /** As far as it can be done: others may have filled the disk. SQLite itself does not wait where another checkpoint runs. */
  async function emptyLog(connection: Binding): Promise<void> {
    const until = performance.now() + EMPTY_WITHIN_MS;
    const empty = async () => {
      const [state] = await connection.all<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
      if (state!.busy) throw new StorageError('storage-busy', `the log is in use: ${wal}`);
    };
    try {
      await retryWhileBusy(empty, () => until);
    } catch {
      // It is held for longer, or there is no room for what is in it: what is free tells.
    }
  }

  async function make(connection: Binding, bytes: number): Promise<void> {
    let free = await look(connection);
    if (free < bytes) {
      await emptyLog(connection);
      free = await look(connection);
    }
    spare = 0;
    if (free < bytes) {
      throw new StorageError('storage-full', `storage full: free some disk space; nothing of this was stored: ${file}`);
    }
    // Half of it: the estimate may be wrong by as much before the next check.
    spare = Math.max(0, Math.min(free / 2, LOOK_EVERY_BYTES) - bytes);
  }

  return {
    need(connection, bytes, rows) {
      const wanted = bytes + rows * ROW_BYTES + COMMIT_BYTES;
      if (spare >= wanted) {
        spare -= wanted;
        return null;
      }
      return make(connection, wanted);
    },
  };
}

async function freeOnDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await fs.promises.statfs(folder);
  return bavail * bsize;
}

/**
 * How much may be written to the log and then to the file: each grows by what it has no unused place for. Below 0 where
 * there is not even room for what is in the log: its unused end is none for the file.
 * @param free on the disk, beyond what is in the log and must go into the file
 * @param reused unused bytes of the log
 * @param empty unused bytes of the file
 */
export function mostBytes(free: number, reused: number, empty: number): number {
  const [less, more] = [Math.min(reused, empty), Math.max(reused, empty)];
  if (free < 0) return free;
  return less + free <= more ? less + free : (free + reused + empty) / 2;
}
