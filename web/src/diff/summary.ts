import { type DiffInsight, type FileChange, type FileDifference, MOST_ENTRIES, type SignedFile } from '../api/diff.ts';
import { bytes, count, counted } from '../format/numbers.ts';

/** What weighs most stands first: each file counts once. */
const NAMES: readonly (readonly [FileChange, string])[] = [
  ['type', 'of another type'],
  ['content', 'with other content'],
  ['size', 'of another size'],
  ['target', 'that lead elsewhere'],
  ['mode', 'with other permissions'],
  ['owner', 'with another owner'],
  ['time', 'with another time'],
];

/** A comparison in a sentence: `10 of 1,832 files and folders differ: 8 with other content, 1 only in the second build.` */
export function summaryOf(diff: DiffInsight): string {
  const { counts, entries, header } = diff;
  const [onlyFirst, onlySecond] = [counts['only-here'] ?? 0, counts['only-there'] ?? 0];
  if (diff.form === 'lines')
    return `The texts name no files. ${counted(onlyFirst, 'line')} only in the first, ${counted(onlySecond, 'line')} only in the second.`;
  if (entries.length === 0)
    return header.length > 0
      ? `No file differs, but ${counted(header.length, 'line')} about the task.`
      : 'The two signature texts are equal, although the outputs are not: what differs is not in them.';
  const all = counted(diff.files.here + onlySecond, 'file or folder', 'files and folders');
  const isCut = entries.length >= MOST_ENTRIES;
  const sides = [
    ...(onlyFirst > 0 ? [`${count(onlyFirst)} only in the first build`] : []),
    ...(onlySecond > 0 ? [`${count(onlySecond)} only in the second build`] : []),
  ];
  const parts = [...(isCut ? byChange(counts) : byWeight(diff.entries)), ...sides].join(', ');
  // The server counts changes, not files: of more than it tells it is not known how many files they are in.
  if (isCut) return `More than ${count(MOST_ENTRIES)} of ${all} differ: ${parts}.`;
  return `${count(entries.length)} of ${all} ${entries.length === 1 ? 'differs' : 'differ'}: ${parts}.`;
}

function byWeight(entries: readonly FileDifference[]): string[] {
  const first = entries.map((entry) =>
    entry.kind === 'changed' ? NAMES.find(([change]) => entry.changes.includes(change))?.[0] : null,
  );
  return NAMES.flatMap(([change, name]) => {
    const found = first.filter((each) => each === change).length;
    return found > 0 ? [`${count(found)} ${name}`] : [];
  });
}

function byChange(counts: DiffInsight['counts']): string[] {
  return NAMES.flatMap(([change, name]) => {
    const found = counts[change] ?? 0;
    return found > 0 ? [`${count(found)} ${name}`] : [];
  });
}

/** In what two files differ: its name, and how it is in each build. */
export interface Change {
  readonly name: string;
  readonly first: string;
  readonly second: string;
}

/** In what two files differ, in words; what is equal is left out. */
export function changesOf(difference: FileDifference): Change[] {
  if (difference.kind !== 'changed') {
    const { kind, file } = difference;
    const isFirst = kind === 'only-here';
    const [there, missing] = [describe(file), 'not there'];
    return [
      {
        name: isFirst ? 'only in the first' : 'only in the second',
        first: isFirst ? there : missing,
        second: isFirst ? missing : there,
      },
    ];
  }
  const { changes, here, there } = difference;
  return changes.map((change) => {
    const { name, of } = SHOWN[change];
    return { name, first: of(here), second: of(there) };
  });
}

const sizeOf = ({ size }: SignedFile) => (/^\d+$/.test(size ?? '') ? bytes(Number(size)) : (size ?? '–'));
const typeOf = ({ mode }: SignedFile) => TYPES[mode[0]!] ?? mode[0]!;

const TYPES: Readonly<Record<string, string>> = {
  '-': 'file',
  d: 'folder',
  l: 'link',
  c: 'device',
  b: 'device',
  p: 'pipe',
  s: 'socket',
};

const SHOWN: Readonly<Record<FileChange, { readonly name: string; of(file: SignedFile): string }>> = {
  content: { name: 'content', of: ({ checksum }) => (checksum === null ? '–' : `${checksum.slice(0, 8)}…`) },
  size: { name: 'size', of: sizeOf },
  type: { name: 'type', of: typeOf },
  mode: { name: 'permissions', of: ({ mode }) => mode.slice(1) },
  owner: { name: 'owner', of: ({ owner, group }) => `${owner ?? '–'}:${group ?? '–'}` },
  time: { name: 'time', of: ({ time }) => time ?? '–' },
  target: { name: 'leads to', of: ({ target }) => target ?? '–' },
};

function describe(file: SignedFile): string {
  return [typeOf(file), file.size === null ? null : sizeOf(file), file.mode.slice(1)]
    .filter((each) => each !== null)
    .join(', ');
}
