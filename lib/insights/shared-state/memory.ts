import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readLines } from '../../files/lines.ts';
import { openSink } from '../../files/sink.ts';
import type { KnownUnihashes } from './known-unihashes.ts';

/**
 * What was found out in earlier runs, in a file: a line `UNIHASH + ASKED` for an object that was there, `UNIHASH - ASKED SINCE`
 * for one that was missing, times in seconds since 1970. A file that is not of this form, or of something else, counts as none.
 */
const HEAD = 'bakeserv shared state 1';
const LINE = /^([0-9a-f]{64}) (?:(\+) (\d{1,10})|(-) (\d{1,10}) (\d{1,10}))$/;
const LINES_A_WRITE = 1000;
/** Of which nothing may have to be written. */
const LINES_A_TURN = 4096;

/**
 * Reads into `known` what was found out about it.
 * @param about what was looked into, as in `writeMemory`
 */
export async function readMemory(file: string, about: string, known: KnownUnihashes): Promise<void> {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  let first = true;
  for await (const lines of readLines(file)) {
    for (const { text } of lines) {
      if (first && text !== headOf(about)) return;
      first = false;
      const found = LINE.exec(text);
      const number = found && known.find(found[1]!);
      if (found === null || number === null) continue;
      known.set(number, 'askedAt', Number(found[3] ?? found[5]));
      if (found[6] !== undefined) known.set(number, 'missingSince', Number(found[6]));
    }
  }
}

/** Writes what is known, so that the file is whole or the old one. Unihashes that were never looked for are left out. */
export async function writeMemory(file: string, about: string, known: KnownUnihashes): Promise<void> {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const sink = await openSink(file);
  try {
    let text = `${headOf(about)}\n`;
    for (let number = 0; number < known.size; number++) {
      const [askedAt, since] = [known.get(number, 'askedAt'), known.get(number, 'missingSince')];
      if (number % LINES_A_TURN === 0) await setImmediate();
      if (askedAt === 0) continue;
      text += `${known.unihash(number)} ${since > 0 ? `- ${askedAt} ${since}` : `+ ${askedAt}`}\n`;
      if (text.length < LINES_A_WRITE * 90) continue;
      await sink.write(text);
      text = '';
    }
    await sink.write(text);
    await sink.commit();
  } finally {
    await sink.abandon();
  }
}

const headOf = (about: string) => `${HEAD} ${JSON.stringify(about)}`;
