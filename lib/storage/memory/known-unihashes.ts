import { slateOf } from '../../asyncrpc/wire/slate.ts';
import type { LineScanner } from '../../hashserv/store.ts';
import { HASH_DIGITS, HASH_WORDS, readHash } from './hex.ts';
import { createTaskScanner, createUnihashScanner } from './line-scanner.ts';
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
  private readonly table: UnihashTable;
  private readonly strings: UnihashCache;
  private readonly taskhash = new Int32Array(HASH_WORDS);
  private readonly unihash = new Int32Array(HASH_WORDS);
  /** A character that is not ASCII takes up to three bytes. */
  private readonly digits = slateOf(Buffer.alloc(3 * HASH_DIGITS));
  /** Whether the table can hold anything. */
  readonly hasTable: boolean;
  private trusted = true;
  /** Every row whose taskhash has the table's form is in the table; and every row whose unihash has. */
  private hasAllTasks = false;
  private hasAllUnihashes = false;
  private changed = 0;
  private rowsWentAt = 0;

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number) {
    const others = Math.floor(maxBytes * OTHERS);
    this.hasTable = maxBytes - others >= LEAST_TABLE_BYTES;
    this.table = new UnihashTable(this.hasTable ? maxBytes - others : 0);
    this.strings = createUnihashCache(this.hasTable ? others : maxBytes);
  }

  /** Changes when rows have gone, or may have. */
  get epoch(): number {
    return this.rowsWentAt;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.table.bytes + this.strings.bytes;
  }

  /** Rows in the table. */
  get rows(): number {
    return this.table.size;
  }

  /** Whether the table has given up rows for want of room. */
  get hasEvicted(): boolean {
    return this.table.evicted > 0;
  }

  /** Whether the table can take another row without giving one up. */
  get hasRoom(): boolean {
    return this.table.hasRoom;
  }

  /** Changes when rows come into the table or leave it. */
  get changes(): number {
    return this.changed;
  }

  /** The unihash of a task, or undefined: that says nothing. */
  get(task: string): string | undefined {
    const row = this.trusted ? this.find(task) : -1;
    if (row < 0) return this.strings.get(task);
    this.table.writeUnihash(row, this.digits.view, 0);
    return this.digits.bytes.toString('latin1', 0, HASH_DIGITS);
  }

  /** Whether a task is known to have the unihash; false says nothing. */
  exists(unihash: string): boolean {
    const inTable = this.trusted && unihash.length === HASH_DIGITS && this.read(unihash, 0, this.unihash);
    return (inTable && this.table.hasUnihash(this.unihash)) || this.strings.get(existsKey(unihash)) !== undefined;
  }

  /**
   * Answers lines of get-stream, or of exists-stream, as far as the table does.
   * @param isFresh whether what the table holds is new enough for a task, or a unihash, to count as unknown that is not in it
   */
  scanner(of: 'tasks' | 'unihashes', isFresh: () => boolean): LineScanner | null {
    if (!this.hasTable) return null;
    const scanner =
      of === 'tasks'
        ? createTaskScanner(this.table, () => this.hasAllTasks && !this.hasEvicted && isFresh())
        : createUnihashScanner(this.table, () => this.hasAllUnihashes && !this.hasEvicted && isFresh());
    return {
      scan: (input, from, to, output, most) =>
        this.trusted ? scanner.scan(input, from, to, output, most) : { end: from, written: 0, lines: 0, misses: 0 },
    };
  }

  /**
   * Adds what a task was found to have in `epoch`. The strings of one batch may be slices of a larger one, which is
   * theirs alone.
   */
  add(task: string, unihash: string, epoch: number): void {
    if (epoch !== this.epoch) return;
    const isInTable = this.addToTable(task, unihash);
    if (!isInTable) this.hasAllUnihashes = false;
    if (!isInTable || !this.trusted) this.strings.set(task, unihash, this.strings.epoch);
  }

  /** Adds that some task was found to have the unihash. */
  addExisting(unihash: string, epoch: number): void {
    if (epoch === this.epoch) this.strings.set(existsKey(unihash), '', this.strings.epoch);
  }

  /** About so many rows will be added. */
  expect(rows: number): void {
    this.table.expect(rows);
  }

  /**
   * Adds a row as it was read.
   * @param method a plain one
   * @returns false when it cannot be kept
   */
  addRow(method: string, taskhash: Int32Array, unihash: Int32Array): boolean {
    const { size } = this.table;
    const kept = this.table.set(method, taskhash, unihash);
    if (this.table.size !== size) this.changed++;
    return kept;
  }

  /** Whether the table holds just this for a task, trusted or not; null where it is none for the table. */
  holds(task: string, unihash: string): boolean | null {
    if (!this.readTask(task) || !this.readUnihash(unihash)) return null;
    const row = this.find(task);
    if (row < 0) return false;
    this.table.writeUnihash(row, this.digits.view, 0);
    return this.digits.bytes.toString('latin1', 0, HASH_DIGITS) === unihash;
  }

  /** The rows of these tasks have gone. */
  remove(tasks: readonly string[]): void {
    this.rowsWentAt++;
    this.strings.clear();
    for (const task of tasks) {
      if (!this.readTask(task)) continue;
      this.table.delete(methodOf(task), this.taskhash);
      this.changed++;
    }
  }

  /** Rows were stored that may not be in the table. */
  miss(): void {
    this.markIncomplete();
    this.changed++;
  }

  /** A row was stored whose task is none for the table. */
  addStray(): void {
    this.hasAllUnihashes = false;
  }

  /** Rows may have gone: nothing is answered from the table until it is found right, or cleared. */
  doubt(): void {
    this.rowsWentAt++;
    this.strings.clear();
    this.trusted = this.rows === 0;
    this.markIncomplete();
  }

  /**
   * The table holds no row that the engine does not.
   * @param all of these rows it holds all: those whose taskhash, and those whose unihash, is 64 lower-case hex digits
   */
  trust(all: { readonly tasks: boolean; readonly unihashes: boolean }): void {
    this.trusted = true;
    this.hasAllTasks = all.tasks;
    this.hasAllUnihashes = all.unihashes;
  }

  /** Forgets everything; what was read before this and arrives later is not kept. */
  clear(): void {
    this.rowsWentAt++;
    this.changed++;
    this.table.clear();
    this.strings.clear();
    this.trusted = true;
    this.markIncomplete();
  }

  private markIncomplete(): void {
    this.hasAllTasks = false;
    this.hasAllUnihashes = false;
  }

  private find(task: string): number {
    const at = startOfTaskhash(task);
    const method = at < 0 ? -1 : this.table.methodNumber(task.slice(0, at - 1));
    return method >= 0 && this.read(task, at, this.taskhash) ? this.table.findTask(method, this.taskhash) : -1;
  }

  private addToTable(task: string, unihash: string): boolean {
    return this.readTask(task) && this.readUnihash(unihash) && this.addRow(methodOf(task), this.taskhash, this.unihash);
  }

  private readTask(task: string): boolean {
    const at = startOfTaskhash(task);
    return at >= 0 && isPlainMethod(methodOf(task)) && this.read(task, at, this.taskhash);
  }

  private readUnihash(unihash: string): boolean {
    return unihash.length === HASH_DIGITS && this.read(unihash, 0, this.unihash);
  }

  private read(text: string, at: number, words: Int32Array): boolean {
    this.digits.bytes.write(at === 0 ? text : text.slice(at), 'utf8');
    return readHash(this.digits.view, 0, words, 0);
  }
}

/** Whether lines with this method may be answered from the table. */
export function isPlainMethod(method: string): boolean {
  return PLAIN_METHOD.test(method);
}

/** Where the taskhash of a task line begins that has as many characters as a hash has digits, or -1. */
function startOfTaskhash(task: string): number {
  const at = task.length - HASH_DIGITS;
  return at >= 2 && task.charCodeAt(at - 1) === BLANK ? at : -1;
}

/** The method of a task line whose taskhash has as many characters as a hash has digits. */
function methodOf(task: string): string {
  return task.slice(0, -HASH_DIGITS - 1);
}

/** Unihashes known to exist are kept beside the tasks under a key that no task line can have. */
function existsKey(unihash: string): string {
  return `\n${unihash}`;
}
