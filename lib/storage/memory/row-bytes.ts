import { slateOf } from '../../asyncrpc/wire/slate.ts';
import { HASH_DIGITS, HASH_WORDS, readHash } from './hex.ts';
import { isPlainMethod, type KnownUnihashes } from './known-unihashes.ts';

/**
 * Rows as bytes, one behind the other. A row whose taskhash and unihash are texts of 64 bytes: the length of its method
 * in decimal digits, a blank, the method, the taskhash, the unihash. Any other: one letter, which says whether its
 * taskhash (`t`), its unihash (`u`), both (`b`, where the method is no text) or none (`n`) has the form the memory keeps.
 */
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const BLANK = 0x20;
const LETTERS = new Map([...'tubn'].map((letter) => [letter.charCodeAt(0), letter]));

/** Puts the rows of one read into memory, some at a time. */
export class RowBytes {
  /** Rows that are not for the memory … */
  others = 0;
  /** … and whether one of them has a taskhash, or a unihash, as the memory keeps them. */
  hasStrayTasks = false;
  hasStrayUnihashes = false;
  private readonly bytes: Buffer;
  private readonly view: DataView;
  private at = 0;
  private readonly taskhash = new Int32Array(HASH_WORDS);
  private readonly unihash = new Int32Array(HASH_WORDS);
  /** Of the last row: nearly all have the same. */
  private methodBytes = Buffer.alloc(0);
  private method = '';
  private isPlain = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = slateOf(bytes).view;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /**
   * Adds the next rows.
   * @throws Error where the bytes are no rows: never is one made of what is not there, as it would be somebody's answer
   */
  addTo(memory: KnownUnihashes, most: number): void {
    for (let rows = 0; rows < most && !this.isAtEnd; rows++) {
      const letter = LETTERS.get(this.bytes[this.at]!);
      if (letter === undefined) this.addRow(memory);
      else {
        this.at++;
        this.passOver(letter === 't' || letter === 'b', letter === 'u' || letter === 'b');
      }
    }
  }

  private addRow(memory: KnownUnihashes): void {
    const { bytes } = this;
    this.takeMethod();
    const unihashAt = this.at + HASH_DIGITS;
    const end = unihashAt + HASH_DIGITS;
    if (end > bytes.length) throw cutOff();
    const isTask = readHash(this.view, this.at, this.taskhash, 0);
    const isUnihash = readHash(this.view, unihashAt, this.unihash, 0);
    this.at = end;
    if (isTask && isUnihash && this.isPlain && memory.addRow(this.method, this.taskhash, this.unihash)) return;
    // Lines with a method that the memory does not know are never answered from it.
    this.passOver(isTask && !isUnihash, isUnihash);
  }

  private takeMethod(): void {
    const { bytes } = this;
    let length = 0;
    let at = this.at;
    for (; bytes[at]! >= DIGIT_0 && bytes[at]! <= DIGIT_9; at++) length = 10 * length + bytes[at]! - DIGIT_0;
    if (at === this.at || bytes[at] !== BLANK) throw cutOff();
    const from = at + 1;
    this.at = from + length;
    if (this.at > bytes.length) throw cutOff();
    if (length === this.methodBytes.length && bytes.compare(this.methodBytes, 0, length, from, this.at) === 0) return;
    this.methodBytes = Buffer.from(bytes.subarray(from, this.at));
    this.method = this.methodBytes.toString('latin1');
    this.isPlain = isPlainMethod(this.method);
  }

  private passOver(isTask: boolean, isUnihash: boolean): void {
    this.others++;
    if (isTask) this.hasStrayTasks = true;
    if (isUnihash) this.hasStrayUnihashes = true;
  }
}

function cutOff(): Error {
  return new Error('rows were read that are none');
}
