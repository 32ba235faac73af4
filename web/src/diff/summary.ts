import { bytes, counted } from '../format/numbers.ts';
import type { Aspect, Comparison, FileDifference } from './compare.ts';
import type { SignedFile } from './signature.ts';

const NAMES: Readonly<Record<Aspect, string>> = {
  type: 'of another type',
  content: 'with other content',
  target: 'that lead elsewhere',
  mode: 'with other permissions',
  owner: 'with another owner',
  time: 'with another time',
};

/** A comparison in a sentence: `10 of 1,832 files and folders differ: 8 with other content, 1 only in the second build.` */
export function summaryOf({ files, all, lines }: Comparison): string {
  if (files.length === 0 && lines.length === 0)
    return 'The two signature texts are equal, although the outputs are not: what differs is not in them.';
  if (files.length === 0) return `No file differs, but ${counted(lines.length, 'other line')} of the texts.`;
  const parts: string[] = [];
  for (const [aspect, name] of Object.entries(NAMES) as [Aspect, string][]) {
    // Each file counts once, by what weighs most.
    const count = files.filter(({ aspects }) => aspects[0] === aspect).length;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  const onlyFirst = files.filter(({ second }) => second === null).length;
  const onlySecond = files.filter(({ first }) => first === null).length;
  if (onlyFirst > 0) parts.push(`${onlyFirst} only in the first build`);
  if (onlySecond > 0) parts.push(`${onlySecond} only in the second build`);
  return `${files.length.toLocaleString('en')} of ${counted(all, 'file or folder', 'files and folders')} ${files.length === 1 ? 'differs' : 'differ'}: ${parts.join(', ')}.`;
}

/** A row of what differs: its name, and how it is in each build. */
export interface Change {
  readonly name: string;
  readonly first: string;
  readonly second: string;
}

const NOT_THERE = 'not there';

/** In what two files differ, in words; what is equal is left out. */
export function changesOf({ first, second, aspects }: FileDifference): Change[] {
  if (!first || !second)
    return [
      { name: 'file', first: first ? describe(first) : NOT_THERE, second: second ? describe(second) : NOT_THERE },
    ];
  const pair = (name: string, of: (file: SignedFile) => string) => ({ name, first: of(first), second: of(second) });
  return aspects.flatMap((aspect) => {
    if (aspect === 'content') {
      const changes = first.checksum === second.checksum ? [] : [pair('content', (file) => shortSum(file.checksum))];
      return first.size === second.size ? changes : [...changes, pair('size', ({ size }) => bytes(size))];
    }
    if (aspect === 'mode') return [pair('permissions', ({ mode }) => mode)];
    if (aspect === 'type') return [pair('type', ({ type }) => TYPES[type] ?? type)];
    return [pair(aspect === 'target' ? 'leads to' : aspect, (file) => file[aspect] ?? '–')];
  });
}

const TYPES: Readonly<Record<string, string>> = {
  '-': 'file',
  d: 'folder',
  l: 'link',
  c: 'device',
  b: 'device',
  p: 'pipe',
  s: 'socket',
};

const shortSum = (checksum: string | null) => (checksum === null ? '–' : `${checksum.slice(0, 8)}…`);

function describe({ type, mode, size }: SignedFile): string {
  return [TYPES[type] ?? type, size === null ? null : bytes(size), mode].filter((each) => each !== null).join(', ');
}
