import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../errors.ts';
import type { Ring } from './ring.ts';

/** What is kept in the file. */
export interface Recorded {
  readonly columns: readonly string[];
  /** In the order of their places; null: nobody's. */
  readonly methods: readonly (string | null)[];
  readonly rings: readonly Ring[];
}

const KIND = 'bakeserv figures';
const FORMAT = 1;
const DIGEST_BYTES = 32;
/** Several times what there is to keep: a longer file is not read. */
const MAX_BYTES = 8 * 1024 * 1024;

/** A line of JSON that says what follows, then each ring: its numbers, its values by column; then the SHA-256 of all that. Little-endian. */
export function encode({ columns, methods, rings }: Recorded): Buffer {
  const head = { kind: KIND, format: FORMAT, columns, methods, rings: rings.map(({ shape }) => shape) };
  const parts = [
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...rings.flatMap(({ numbers, values }) => [bytesOf(numbers), bytesOf(values)]),
  ];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

/**
 * Fills the rings with what was kept; columns that are not known here are left out.
 * @returns the names of the methods
 * @throws Error that says why this cannot be such a file; then the rings are as they were
 */
export function decode(bytes: Buffer, columns: readonly string[], rings: readonly Ring[]): Recorded['methods'] {
  const body = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
  const line = body.indexOf('\n');
  const head = line < 0 ? null : headOf(body.toString('utf8', 0, line));
  if (head === null) throw new Error('it is not a file of figures');
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(body.length))) throw new Error('it is damaged');
  const shapes = rings.map(({ shape }) => shape);
  if (JSON.stringify(head.rings) !== JSON.stringify(shapes)) throw new Error('it is of another version');
  const sizes = shapes.map(({ buckets }) => buckets * (8 + 4 * head.columns.length));
  if (body.length !== line + 1 + sizes.reduce((sum, size) => sum + size, 0)) throw new Error('it is damaged');
  let at = line + 1;
  for (const { numbers, values, shape } of rings) {
    // A copy: what is in the middle of a file is aligned by chance.
    bytesOf(numbers).set(body.subarray(at, at + numbers.byteLength));
    at += numbers.byteLength;
    for (const name of head.columns) {
      const size = shape.buckets * 4;
      const column = columns.indexOf(name);
      if (column >= 0) bytesOf(values).set(body.subarray(at, at + size), column * size);
      at += size;
    }
  }
  return head.methods;
}

function headOf(text: string): { columns: string[]; methods: Recorded['methods']; rings: unknown } | null {
  try {
    const { kind, format, columns, methods, rings } = JSON.parse(text);
    const isText = (each: unknown) => typeof each === 'string';
    const areTexts = Array.isArray(columns) && columns.every(isText);
    const areNames = Array.isArray(methods) && methods.every((each) => each === null || isText(each));
    return kind === KIND && format === FORMAT && areTexts && areNames ? { columns, methods, rings } : null;
  } catch {
    return null;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * Reads the file, if there is one. One that is none of ours, or damaged, is put aside under another name: what is in it is not lost, and the
 * figures begin again.
 * @returns the names of the methods, and what was wrong with the file
 */
export function load(file: string, columns: readonly string[], rings: readonly Ring[]) {
  const nothing: Recorded['methods'] = [];
  try {
    const there = fs.statSync(file, { throwIfNoEntry: false });
    if (!there) return { methods: nothing, fault: null };
    if (!there.isFile() || there.size > MAX_BYTES) throw new Error('it is not a file of figures');
    return { methods: decode(fs.readFileSync(file), columns, rings), fault: null };
  } catch (error) {
    return { methods: nothing, fault: `${reasonOf(error)}; ${putAside(file)}` };
  }
}

function putAside(file: string): string {
  const aside = `${file}.unreadable`;
  try {
    fs.renameSync(file, aside);
    return `it is now ${aside}`;
  } catch (error) {
    return `it cannot be renamed: ${reasonOf(error)}`;
  }
}

/** Writes the file whole, or leaves it as it is. @throws the system's error */
export async function save(file: string, recorded: Recorded): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    // Nothing that somebody has put there, as a link to another file, is written to.
    await fs.promises.rm(part, { force: true });
    const handle = await fs.promises.open(part, 'wx', 0o640);
    try {
      await handle.writeFile(encode(recorded));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(part, file);
  } catch (error) {
    await fs.promises.rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** So that the name is there after a power cut; the old file would do as well. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.promises.open(folder).catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
