import type { InTurns } from './in-turns.ts';

/**
 * Signature texts (outhash_siginfo): what a task's output is made of. BitBake's own are a few lines about the task, then a line a
 * file: type and mode, in some tasks owner, group and time, then size and checksum of what has content, then the path.
 * Source: ../shared/siginfo of the contract.
 */

/** A file of an output. Null is what its line does not have. */
export interface SignatureFile {
  readonly path: string;
  /** As `ls -l` has it; some tasks leave out the rights of others than the owner. */
  readonly mode: string;
  readonly owner: string | null;
  readonly group: string | null;
  /** Last change, in seconds since 1970. */
  readonly time: string | null;
  /** In bytes; of devices their numbers. */
  readonly size: string | null;
  readonly checksum: string | null;
  /** Where a symbolic link leads. */
  readonly target: string | null;
}

const MODE = /^[-dlcbps][-rwxsStT]{3}(?:[-rwxsStT]{6})?(?= )/;
/** The fields between mode and path; with their blanks about 130 in what is known. Also bounds the time that a hostile line takes. */
const MAX_FIELDS_CHARS = 400;
const CHECKSUM = /^[0-9a-f]{32,128}$/;
const LINK_ARROW = ' -> ';

/** Reads the line of a file; null when it is another one. */
export function readFileLine(line: string): SignatureFile | null {
  const mode = MODE.exec(line)?.[0];
  if (mode === undefined) return null;
  const slash = line.indexOf(' ./', mode.length);
  const at = slash < 0 && line.endsWith(' .') ? line.length - 2 : slash;
  if (at < 0 || at - mode.length > MAX_FIELDS_CHARS) return null;
  const named = line.slice(at + 1);
  const fields = line
    .slice(mode.length, at)
    .split(' ')
    .filter((field) => field !== '');
  const checksum = CHECKSUM.test(fields.at(-1) ?? '') ? fields.pop()! : null;
  const isDevice = mode.startsWith('c') || mode.startsWith('b');
  const size = checksum !== null || (isDevice && fields.length % 3 === 1) ? (fields.pop() ?? null) : null;
  // Owner and group come together, the time only with them.
  if (fields.length !== 0 && fields.length !== 2 && fields.length !== 3) return null;
  const arrow = mode.startsWith('l') ? named.indexOf(LINK_ARROW) : -1;
  return {
    path: arrow < 0 ? named : named.slice(0, arrow),
    mode,
    owner: fields[0] ?? null,
    group: fields[1] ?? null,
    time: fields[2] ?? null,
    size,
    checksum,
    target: arrow < 0 ? null : named.slice(arrow + LINK_ARROW.length),
  };
}

/**
 * The most lines of a text that are looked at: the largest outputs, of kernels and images, have some ten thousand files, and a
 * text of 16 MiB that is nothing but line ends must not take a gigabyte.
 */
const MAX_LINES = 250_000;
/** Lines until others get a turn: some milliseconds. */
const LINES_A_TURN = 2000;

export interface Signature {
  /** The lines before the first file: method, version, task. */
  readonly header: readonly string[];
  /** The line of each file by its path, in their order. Lines, as read files would be ten times as large. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Takes a text apart into its header and its files.
 * @returns null when it has another form: no file, something else between files, or a path that comes twice
 */
export function* readSignature(text: string): InTurns<Signature | null> {
  const header: string[] = [];
  const files = new Map<string, string>();
  const isTurn = createTurns();
  for (const line of linesOf(text)) {
    if (isTurn()) yield;
    const file = readFileLine(line);
    if (file) {
      if (files.has(file.path)) return null;
      files.set(file.path, line);
    } else if (files.size > 0) return null;
    else header.push(line);
  }
  return files.size > 0 ? { header, files } : null;
}

/** Called for each line: whether it is time to give others a turn. */
export function createTurns(): () => boolean {
  let lines = 0;
  return () => ++lines % LINES_A_TURN === 0;
}

/** Lines without their ends, one at a time, and no more than are looked at. */
export function* linesOf(text: string): Generator<string, void, undefined> {
  let at = 0;
  for (let lines = 0; at < text.length && lines < MAX_LINES; lines++) {
    const end = text.indexOf('\n', at);
    yield text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
  }
}

/** Whether a text has more lines than are looked at. */
export function isCut(text: string): boolean {
  let at = 0;
  for (let lines = 0; lines < MAX_LINES; lines++) {
    at = text.indexOf('\n', at) + 1;
    if (at === 0) return false;
  }
  return at < text.length;
}
