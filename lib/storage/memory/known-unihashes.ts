import { HASH_DIGITS, HASH_WORDS, readHash } from './hex.ts';
import { createUnihashCache, type UnihashCache } from './unihash-cache.ts';
import { LEAST_TABLE_BYTES, UnihashTable } from './unihash-table.ts';

const BLANK = 0x20;
/** The part of the memory that is for keys of other shapes. */
const OTHERS = 1 / 16;
/** A method as a line of a stream can name it, in one byte a character. */
const PLAIN_METHOD = /^[!-~]{1,256}$/;

/**
 * What an engine's unihashes are known by without asking it: the rows whose hashes are 64 lower-case hex digits in a
 * table of bytes, all others in a small cache of strings.
 *
 * An entry is right until rows go. The engine tells of that, and from then on nothing is kept that was read before:
 * every addition says in which epoch it was read.
 */
export class KnownUnihashes {
  readonly table: UnihashTable;
  private readonly strings: UnihashCache;
  private readonly taskhash = new Int32Array(HASH_WORDS);
  private readonly unihash = new Int32Array(HASH_WORDS);
  /** A character that is not ASCII takes up to three bytes. */
  private readonly digits = Buffer.alloc(3 * HASH_DIGITS);

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number) {
    const others = Math.floor(maxBytes * OTHERS);
    const fits = maxBytes - others >= LEAST_TABLE_BYTES;
    this.table = new UnihashTable(fits ? maxBytes - others : 0);
    this.strings = createUnihashCache(fits ? others : maxBytes);
  }

  /** Changes when rows have gone, or may have. */
  get epoch(): number {
    return this.strings.epoch;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.table.bytes + this.strings.bytes;
  }

  /** The unihash of a task, or undefined: that says nothing. */
  get(task: string): string | undefined {
    const at = startOfTaskhash(task);
    const method = at < 0 ? -1 : this.table.methodNumber(task.slice(0, at - 1));
    if (method >= 0 && this.read(task, at, this.taskhash)) {
      const row = this.table.findTask(method, this.taskhash);
      if (row >= 0) {
        this.table.writeUnihash(row, this.digits, 0);
        return this.digits.toString('latin1', 0, HASH_DIGITS);
      }
    }
    return this.strings.get(task);
  }

  /** Whether a task is known to have the unihash; false says nothing. */
  exists(unihash: string): boolean {
    if (unihash.length === HASH_DIGITS && this.read(unihash, 0, this.unihash) && this.table.hasUnihash(this.unihash))
      return true;
    return this.strings.get(existsKey(unihash)) !== undefined;
  }

  /**
   * Adds what a task was found to have in `epoch`. The strings of one batch may be slices of a larger one, which is
   * theirs alone.
   */
  add(task: string, unihash: string, epoch: number): void {
    if (epoch === this.epoch && !this.addToTable(task, unihash)) this.strings.set(task, unihash, epoch);
  }

  /** Adds that some task was found to have the unihash. */
  addExisting(unihash: string, epoch: number): void {
    this.strings.set(existsKey(unihash), '', epoch);
  }

  /** Forgets everything; what was read before this and arrives later is not kept. */
  clear(): void {
    this.table.clear();
    this.strings.clear();
  }

  private addToTable(task: string, unihash: string): boolean {
    const at = startOfTaskhash(task);
    if (at < 0 || unihash.length !== HASH_DIGITS) return false;
    if (!this.read(task, at, this.taskhash) || !this.read(unihash, 0, this.unihash)) return false;
    const method = task.slice(0, at - 1);
    if (this.table.methodNumber(method) < 0 && !PLAIN_METHOD.test(method)) return false;
    return this.table.set(method, this.taskhash, this.unihash);
  }

  private read(text: string, at: number, words: Int32Array): boolean {
    this.digits.write(at === 0 ? text : text.slice(at), 'utf8');
    return readHash(this.digits, 0, words);
  }
}

/** Where the taskhash of a task line begins that has as many characters as a hash has digits, or -1. */
function startOfTaskhash(task: string): number {
  const at = task.length - HASH_DIGITS;
  return at >= 2 && task.charCodeAt(at - 1) === BLANK ? at : -1;
}

/** Unihashes known to exist are kept beside the tasks under a key that no task line can have. */
function existsKey(unihash: string): string {
  return `\n${unihash}`;
}
