import { atOnce, type InTurns } from './in-turns.ts';
import {
  createTurns,
  isCut,
  linesOf,
  readFileLine,
  readSignature,
  type Signature,
  type SignatureFile,
} from './signature.ts';

/** How a file of one output differs from the same file of the other. */
export const FILE_CHANGES = ['content', 'size', 'type', 'mode', 'owner', 'time', 'target'] as const;
export type FileChange = (typeof FILE_CHANGES)[number];

/** A file that is not the same in both outputs. */
export type FileDifference =
  | { readonly kind: 'only-here' | 'only-there'; readonly path: string; readonly file: SignatureFile }
  | {
      readonly kind: 'changed';
      readonly path: string;
      /** In the order of FILE_CHANGES; other content of another size is both. */
      readonly changes: readonly FileChange[];
      readonly here: SignatureFile;
      readonly there: SignatureFile;
    };

/** A line that only one of two texts has. */
export interface LineDifference {
  readonly kind: 'only-here' | 'only-there';
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

interface Differences<Entry> {
  /** The first of them, in the order of the texts. */
  readonly entries: readonly Entry[];
  /** How many there are in all, by what they are: kinds, and changes of files that both have. */
  readonly counts: Readonly<Record<string, number>>;
}

export type SignatureDiff = (
  | ({
      readonly form: 'files';
      readonly files: { readonly here: number; readonly there: number };
    } & Differences<FileDifference>)
  | ({ readonly form: 'lines' } & Differences<LineDifference>)
) & {
  /** Lines about the task that differ. */
  readonly header: readonly LineDifference[];
  readonly same: boolean;
  /** Only the first lines of a text were compared, as it has too many. */
  readonly cut: boolean;
};

/** The most entries, and the longest line, that a diff holds: it is for people, and a line may have 16 MiB. */
export const MAX_ENTRIES = 1000;
const MAX_LINE_CHARS = 2000;

/** The same as `diffInTurns`, at once. */
export const diffSignatures = (here: string, there: string, limit = MAX_ENTRIES): SignatureDiff =>
  atOnce(diffInTurns(here, there, limit));

/**
 * Compares two signature texts file by file, or line by line where one of them is in another form.
 * @param limit the most entries; everything is counted
 */
export function* diffInTurns(here: string, there: string, limit: number): InTurns<SignatureDiff> {
  const about = { same: here === there, cut: isCut(here) || isCut(there) };
  const left = yield* readSignature(here);
  const right = left && (yield* readSignature(there));
  if (!left || !right) {
    const found = yield* diffLines(
      () => linesOf(here),
      () => linesOf(there),
      limit,
    );
    return { form: 'lines', ...found, header: [], ...about };
  }
  const found = yield* diffFiles(left, right, limit);
  const header = yield* diffLines(
    () => left.header,
    () => right.header,
    limit,
  );
  const files = { here: left.files.size, there: right.files.size };
  return { form: 'files', files, ...found, header: header.entries, ...about };
}

function* diffFiles(here: Signature, there: Signature, limit: number): InTurns<Differences<FileDifference>> {
  const { entries, counts, add } = collect<FileDifference>(limit);
  const isTurn = createTurns();
  for (const [path, line] of here.files) {
    if (isTurn()) yield;
    const other = there.files.get(path);
    if (other === line) continue;
    const file = readFileLine(line)!;
    if (other === undefined) {
      add({ kind: 'only-here', path: cut(path), file: shortened(file) }, ['only-here']);
      continue;
    }
    const otherFile = readFileLine(other)!;
    const changes = changesOf(file, otherFile);
    // Only the blanks between fields differ.
    if (changes.length === 0) continue;
    add({ kind: 'changed', path: cut(path), changes, here: shortened(file), there: shortened(otherFile) }, changes);
  }
  for (const [path, line] of there.files) {
    if (isTurn()) yield;
    if (here.files.has(path)) continue;
    add({ kind: 'only-there', path: cut(path), file: shortened(readFileLine(line)!) }, ['only-there']);
  }
  return { entries, counts };
}

function changesOf(here: SignatureFile, there: SignatureFile): FileChange[] {
  const differs: Readonly<Record<FileChange, boolean>> = {
    content: here.checksum !== there.checksum,
    size: here.size !== there.size,
    type: here.mode[0] !== there.mode[0],
    mode: here.mode.slice(1) !== there.mode.slice(1),
    owner: here.owner !== there.owner || here.group !== there.group,
    time: here.time !== there.time,
    target: here.target !== there.target,
  };
  return FILE_CHANGES.filter((change) => differs[change]);
}

type Lines = () => Iterable<string>;

/**
 * Lines that only one side has, however often the other has them elsewhere: order is not compared, as that of files says
 * nothing, and an output of 100,000 lines must not take a square of that.
 */
function* diffLines(here: Lines, there: Lines, limit: number): InTurns<Differences<LineDifference>> {
  const { entries, counts, add } = collect<LineDifference>(limit);
  const isTurn = createTurns();
  const known = new Map<string, number>();
  for (const line of there()) {
    if (isTurn()) yield;
    known.set(line, (known.get(line) ?? 0) + 1);
  }
  const leave = new Map<string, number>();
  let number = 0;
  for (const text of here()) {
    if (isTurn()) yield;
    number++;
    const left = known.get(text) ?? 0;
    if (left > 0) {
      known.set(text, left - 1);
      leave.set(text, (leave.get(text) ?? 0) + 1);
    } else add({ kind: 'only-here', number, text: cut(text) }, ['only-here']);
  }
  number = 0;
  for (const text of there()) {
    if (isTurn()) yield;
    number++;
    const shared = leave.get(text) ?? 0;
    if (shared > 0) leave.set(text, shared - 1);
    else add({ kind: 'only-there', number, text: cut(text) }, ['only-there']);
  }
  return { entries, counts };
}

function collect<Entry>(limit: number) {
  const entries: Entry[] = [];
  const counts: Record<string, number> = {};
  const add = (entry: Entry, kinds: readonly string[]) => {
    for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
    if (entries.length < limit) entries.push(entry);
  };
  return { entries, counts, add };
}

const cut = (text: string) => (text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text);

function shortened(file: SignatureFile): SignatureFile {
  return { ...file, path: cut(file.path), target: file.target === null ? null : cut(file.target) };
}
