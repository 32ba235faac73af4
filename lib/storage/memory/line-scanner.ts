import { isAscii } from 'node:buffer';
import type { LineScanner } from '../../hashserv/store.ts';
import { HASH_DIGITS, HASH_WORDS, readHash } from './hex.ts';
import type { UnihashTable } from './unihash-table.ts';

const NEWLINE = 0x0a;
const BLANK = 0x20;
const TRUE = Buffer.from('true\n');
const FALSE = Buffer.from('false\n');

/**
 * Lines `method taskhash` of get-stream.
 * @param missesAreKnown whether a task that the table does not have is known not to exist
 */
export function createTaskScanner(table: UnihashTable, missesAreKnown: () => boolean): LineScanner {
  const taskhash = new Int32Array(HASH_WORDS);
  /** Most streams ask for one method: its bytes with the blank after it, and its number. */
  let method: Buffer = Buffer.alloc(0);
  let number = -1;
  let generation = -1;

  /** Takes up the method of the line at `at`; false when it is no line of a known one. */
  function changeMethod(input: Buffer, at: number): boolean {
    const end = input.indexOf(NEWLINE, at);
    const length = end - HASH_DIGITS - at;
    if (end < 0 || length < 2 || input[at + length - 1] !== BLANK) return false;
    const name = input.subarray(at, at + length - 1);
    number = isAscii(name) ? table.methodNumber(name.toString('latin1')) : -1;
    method = number < 0 ? Buffer.alloc(0) : Buffer.from(input.subarray(at, at + length));
    return number >= 0;
  }

  function hasMethod(input: Buffer, at: number): boolean {
    if (method.length === 0) return false;
    for (let i = 0; i < method.length; i++) if (input[at + i] !== method[i]) return false;
    return true;
  }

  return {
    scan(input, from, output, most) {
      const unknown = missesAreKnown();
      if (generation !== table.generation) {
        generation = table.generation;
        method = Buffer.alloc(0);
      }
      let at = from;
      let to = 0;
      let lines = 0;
      let misses = 0;
      for (; lines < most; lines++) {
        if (!hasMethod(input, at) && !changeMethod(input, at)) break;
        const digits = at + method.length;
        const end = digits + HASH_DIGITS;
        if (end >= input.length || input[end] !== NEWLINE || !readHash(input, digits, taskhash)) break;
        const row = table.findTask(number, taskhash);
        if (row >= 0) {
          table.writeUnihash(row, output, to);
          to += HASH_DIGITS;
        } else if (unknown) misses++;
        else break;
        output[to++] = NEWLINE;
        at = end + 1;
      }
      return { end: at, written: to, lines, misses };
    },
  };
}

/**
 * Lines `unihash` of exists-stream.
 * @param absencesAreKnown whether a unihash that no row of the table has is known not to exist
 */
export function createUnihashScanner(table: UnihashTable, absencesAreKnown: () => boolean): LineScanner {
  const unihash = new Int32Array(HASH_WORDS);
  return {
    scan(input, from, output, most) {
      const unknown = absencesAreKnown();
      let at = from;
      let to = 0;
      let lines = 0;
      let misses = 0;
      for (; lines < most; lines++) {
        const end = at + HASH_DIGITS;
        if (end >= input.length || input[end] !== NEWLINE || !readHash(input, at, unihash)) break;
        const known = table.hasUnihash(unihash);
        if (!known && !(unknown && table.lacksUnihash(unihash))) break;
        if (!known) misses++;
        const answer = known ? TRUE : FALSE;
        for (let i = 0; i < answer.length; i++) output[to++] = answer[i]!;
        at = end + 1;
      }
      return { end: at, written: to, lines, misses };
    },
  };
}
