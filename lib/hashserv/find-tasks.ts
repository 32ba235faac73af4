/** A report of a task, joined with its unihash; one that has no report, or no unihash, has nulls there. */
export interface FoundTask {
  readonly method: string;
  readonly taskhash: string;
  readonly unihash: string | null;
  readonly outhash: string | null;
  readonly owner: string | null;
  readonly PN: string | null;
  readonly PV: string | null;
  readonly PR: string | null;
  readonly task: string | null;
  readonly created: string | null;
  /** Whether a signature text is stored with the report. */
  readonly siginfo: boolean;
}

/** What is known of something. */
export interface FoundTasks {
  /** What the text is: nothing where nothing is known. */
  readonly is: readonly ('taskhash' | 'outhash' | 'unihash' | 'recipe')[];
  readonly rows: readonly FoundTask[];
  /** Other tasks with a unihash of those. */
  readonly equivalent: readonly FoundTask[];
  /** There are more than were asked for. */
  readonly cut: boolean;
  /** All was looked through that could have been found. */
  readonly complete: boolean;
}

/** A recipe's name, or what it begins with, ends with or has in it. */
export interface RecipeMatch {
  readonly kind: 'whole' | 'start' | 'end' | 'part';
  readonly text: string;
}

/** What is looked for. */
export type TaskSearch =
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'recipe'; readonly match: RecipeMatch };

export type Pair = readonly [method: string, hash: string];

/** How an engine finds tasks: each by an index, and never more than `limit` rows. */
export interface TaskFinder {
  /** Up to so many methods that there are rows of. */
  methods(most: number): Promise<readonly string[]>;
  byTask(keys: readonly Pair[], limit: number): Promise<readonly FoundTask[]>;
  byOutput(keys: readonly Pair[], limit: number): Promise<readonly FoundTask[]>;
  byUnihash(unihashes: readonly string[], limit: number): Promise<readonly FoundTask[]>;
  /** The id of the oldest of so many reports before an id (null: the newest); null where there is none. */
  oldestOf(before: number | null, reports: number): Promise<number | null>;
  /** Reports of recipes from an id on, and before another; the newest first, with their ids. */
  ofRecipe(
    match: RecipeMatch,
    from: number,
    before: number | null,
    limit: number,
  ): Promise<readonly (FoundTask & { readonly id: number })[]>;
}

/** Methods that a hash is looked for under; a farm has one or two. */
const MOST_METHODS = 64;
/** Characters of the rows that are told, and what one takes beside its texts: whoever reports chooses how long names are. */
const MOST_CHARS = 512 * 1024;
const ROW_CHARS = 150;
/** Reports that are looked through in one go: a few ten milliseconds of a disk. */
const LOOKED_AT = 20_000;

/** 64 hex digits are a hash; anything else is a recipe's name, in which `*` at either end stands for any text. Null for nothing but that. */
export function searchOf(text: string): TaskSearch | null {
  if (/^[0-9a-f]{64}$/.test(text)) return { kind: 'hash', hash: text };
  const [, before, name, behind] = /^(\*?)(.*?)(\*?)$/s.exec(text)!;
  if (name === '' || name!.includes('*')) return null;
  const kind = before ? (behind ? 'part' : 'end') : behind ? 'start' : 'whole';
  return { kind: 'recipe', match: { kind, text: name! } };
}

/** @param isLate whether there is no more time: what was found by then is answered */
export function findTasks(
  finder: TaskFinder,
  search: TaskSearch,
  limit: number,
  isLate: () => boolean,
): Promise<FoundTasks> {
  return search.kind === 'hash'
    ? findHash(finder, search.hash, limit)
    : findRecipe(finder, search.match, limit, isLate);
}

async function findHash(finder: TaskFinder, hash: string, limit: number): Promise<FoundTasks> {
  const methods = await finder.methods(MOST_METHODS + 1);
  const keys = methods.slice(0, MOST_METHODS).map((method): Pair => [method, hash]);
  const [asTask, asOutput, asUnihash] = await Promise.all([
    finder.byTask(keys, limit + 1),
    finder.byOutput(keys, limit + 1),
    finder.byUnihash([hash], limit + 1),
  ]);
  const kinds = { taskhash: asTask, outhash: asOutput, unihash: asUnihash };
  const is = (['taskhash', 'outhash', 'unihash'] as const).filter((kind) => kinds[kind].length > 0);
  const found = distinct([...asTask, ...asOutput, ...asUnihash]).sort(byAge);
  const rows = fit(found, limit);
  const unihashes = [...new Set(rows.flatMap(({ unihash }) => (unihash === null ? [] : [unihash])))];
  const shown = new Set(rows.map(taskOf));
  // Of those that are shown each may come again, with all its reports.
  const others = await finder.byUnihash(unihashes, limit + rows.length + 1);
  const equivalent = distinct(others).filter((row) => !shown.has(taskOf(row)));
  const told = fit(equivalent, limit);
  return {
    is,
    rows,
    equivalent: told.sort(byAge),
    cut: rows.length < found.length || told.length < equivalent.length || others.length > limit + rows.length,
    complete: methods.length <= MOST_METHODS,
  };
}

async function findRecipe(
  finder: TaskFinder,
  match: RecipeMatch,
  limit: number,
  isLate: () => boolean,
): Promise<FoundTasks> {
  const rows: FoundTask[] = [];
  let complete = false;
  for (let before: number | null = null; rows.length <= limit; ) {
    const from: number | null = await finder.oldestOf(before, LOOKED_AT);
    if (from === null) {
      complete = true;
      break;
    }
    const found = await finder.ofRecipe(match, from, before, limit + 1 - rows.length);
    rows.push(...found.map(({ id: _, ...row }) => row));
    before = from;
    if (isLate()) break;
  }
  const told = fit(rows, limit);
  const cut = told.length < rows.length;
  return {
    is: rows.length > 0 ? ['recipe'] : [],
    rows: told,
    equivalent: [],
    cut,
    complete: complete || cut,
  };
}

/** The first of them, as many as may be told. */
function fit(rows: readonly FoundTask[], limit: number): FoundTask[] {
  let chars = 0;
  const end = rows.slice(0, limit).findIndex((row) => {
    chars += ROW_CHARS;
    for (const text of Object.values(row)) if (typeof text === 'string') chars += text.length;
    return chars > MOST_CHARS;
  });
  return rows.slice(0, end < 0 ? limit : end);
}

const taskOf = ({ method, taskhash }: FoundTask) => JSON.stringify([method, taskhash]);

function distinct(rows: readonly FoundTask[]): FoundTask[] {
  const known = new Map<string, FoundTask>();
  for (const row of rows) {
    const key = JSON.stringify([row.method, row.taskhash, row.outhash]);
    if (!known.has(key)) known.set(key, row);
  }
  return [...known.values()];
}

/** The oldest first; those without a report at the end. */
function byAge(a: FoundTask, b: FoundTask): number {
  const [one, other] = [a, b].map(({ created }) => created ?? '~');
  return one === other ? 0 : one! < other! ? -1 : 1;
}

/** A row as an engine reads it: a text of another program may be no text. */
export function toFoundTask(row: Readonly<Record<string, unknown>>): FoundTask {
  const text = (column: string) => (typeof row[column] === 'string' ? (row[column] as string) : null);
  return {
    method: text('method') ?? '',
    taskhash: text('taskhash') ?? '',
    unihash: text('unihash'),
    outhash: text('outhash'),
    owner: text('owner'),
    PN: text('PN'),
    PV: text('PV'),
    PR: text('PR'),
    task: text('task'),
    created: text('created'),
    siginfo: row.siginfo === true || row.siginfo === 1,
  };
}
