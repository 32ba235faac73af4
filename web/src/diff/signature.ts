/** A file as a signature text has it; what the text does not tell is null. */
export interface SignedFile {
  readonly path: string;
  /** As `ls` writes it: `-`, `d`, `l`. */
  readonly type: string;
  readonly mode: string;
  readonly owner: string | null;
  readonly time: string | null;
  readonly size: number | null;
  readonly checksum: string | null;
  /** Where a link leads. */
  readonly target: string | null;
}

/** A signature text: what a task put out, a line a file. */
export interface Signature {
  readonly files: ReadonlyMap<string, SignedFile>;
  /** All lines that are no file's: the head, or everything where the text has another form. */
  readonly others: readonly string[];
}

/** Longer than any path: what it is, it is no line of a file. */
const LONGEST_LINE = 8192;
const LINE = /^([-dlcbps])([-rwxsStT]{3,9})((?: +\S+)*) +(\.(?:\/.*)?)$/;

/** Reads the text that OpenEmbedded's hash function makes (outhash_siginfo). */
export function readSignature(text: string): Signature {
  const files = new Map<string, SignedFile>();
  const others: string[] = [];
  for (const line of text.split('\n')) {
    const file = line.length <= LONGEST_LINE ? readLine(line) : null;
    // A path that is there twice was made up: the second line is kept as a line.
    if (file && !files.has(file.path)) files.set(file.path, file);
    else if (line !== '') others.push(line);
  }
  return { files, others };
}

function readLine(line: string): SignedFile | null {
  const [, type, mode, fields, name] = LINE.exec(line) ?? [];
  if (!type || !mode || fields === undefined || !name) return null;
  const words = fields.split(' ').filter((word) => word !== '');
  const checksum = /^[0-9a-f]{32,128}$/.test(words.at(-1) ?? '') ? words.pop()! : null;
  const size = checksum !== null && /^\d{1,15}$/.test(words.at(-1) ?? '') ? Number(words.pop()) : null;
  const time = /^\d{1,12}(\.\d+)?$/.test(words.at(-1) ?? '') ? words.pop()! : null;
  const arrow = type === 'l' ? name.indexOf(' -> ') : -1;
  return {
    path: arrow < 0 ? name : name.slice(0, arrow),
    type,
    mode,
    owner: words.length > 0 ? words.join(':') : null,
    time,
    size,
    checksum,
    target: arrow < 0 ? null : name.slice(arrow + 4),
  };
}
