import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import { InvokeError, reasonOf } from '../../errors.ts';
import { COLUMNS, type Format, formatOf } from '../../prserv/files/formats.ts';

/** What a file was written by: `bakeserv-hashclient export`, or `bakeserv-prclient export` in one of its formats. */
export type ExportKind = 'hashes' | Format;

/** So much of a file tells what it is. */
const LOOK_BYTES = 64 * 1024;

/** How files begin that must be unpacked first. */
const PACKED: readonly (readonly [start: string, program: string])[] = [
  ['1f8b', 'gunzip'],
  ['28b52ffd', 'unzstd'],
  ['fd377a585a00', 'unxz'],
  ['425a68', 'bunzip2'],
  ['504b0304', 'unzip'],
];

const NUL = 0;
/** Bytes of a character that may be cut off at the end. */
const CUT_OFF = 3;

/**
 * Tells the kind of a file by how it begins; by its name only where that says nothing.
 * @throws InvokeError for what is no export
 */
export async function kindOfExport(file: string): Promise<ExportKind> {
  const start = await read(file);
  const packed = PACKED.find(([bytes]) => start.toString('hex', 0, bytes.length / 2) === bytes);
  if (packed) throw new InvokeError(`pull: ${file} is compressed: unpack it first (${packed[1]}), and pull that`);
  const kind = isText(start) ? kindOf(start.toString().replace(/^\ufeff/, '')) : null;
  const found = kind ?? (isText(start) ? formatOf(file) : null);
  if (found === null)
    throw new InvokeError(
      `pull: ${file} is neither a database nor an export of bakeserv-hashclient or bakeserv-prclient; an export of PR values with other first lines is known by its name: .inc, .json, .jsonl or .csv`,
    );
  if (found === 'csv') await requireWholeLine(file);
  return found;
}

async function read(file: string): Promise<Buffer> {
  try {
    const handle = await fs.promises.open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LOOK_BYTES), 0, LOOK_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new InvokeError(`pull: cannot read ${file}: ${reasonOf(error)}`, error);
  }
}

function isText(start: Buffer): boolean {
  if (start.includes(NUL)) return false;
  // The last character may go on behind what was read.
  const mostCut = start.length === LOOK_BYTES ? CUT_OFF : 0;
  for (let cut = 0; cut <= mostCut; cut++) if (isUtf8(start.subarray(0, start.length - cut))) return true;
  return false;
}

function kindOf(text: string): ExportKind | null {
  if (/^\s*\{\s*"table"\s*:/.test(text)) return 'hashes';
  if (/^\s*\[/.test(text) || /^\s*\{\s*"(metainfo|datainfo)"\s*:/.test(text)) return 'json';
  if (/^\s*(PRAUTO[$_]|PRSERV_LOCKDOWN\b|#)/.test(text)) return 'bitbake';
  const line = text.trimStart().split('\n', 1)[0]!;
  if (line.startsWith('{')) return kindOfObject(line);
  const fields = line.split(',').map((field) => field.trim().replaceAll('"', ''));
  return COLUMNS.every((column) => fields.includes(column)) ? 'csv' : null;
}

function kindOfObject(line: string): ExportKind | null {
  const names = [...line.matchAll(/"(\w+)"\s*:/g)].map(([, name]) => name);
  if (names.includes('table')) return 'hashes';
  return COLUMNS.some((column) => names.includes(column)) ? 'jsonl' : null;
}

const NEWLINE = 10;

/** In CSV the start of a number is a number: nothing else shows that the last line was cut off. */
async function requireWholeLine(file: string): Promise<void> {
  const handle = await fs.promises.open(file, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] === NEWLINE) return;
  } finally {
    await handle.close();
  }
  throw new InvokeError(
    `pull: the last line of ${file} has no end, so it may have been cut off: export it again, or add a newline where it is whole`,
  );
}
