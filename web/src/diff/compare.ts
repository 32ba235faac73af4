import type { Signature, SignedFile } from './signature.ts';

export type Aspect = 'content' | 'mode' | 'owner' | 'time' | 'type' | 'target';

/** What a path is in each of two outputs; null: it is not there. */
export interface FileDifference {
  readonly path: string;
  readonly first: SignedFile | null;
  readonly second: SignedFile | null;
  /** In what they differ; empty where the path is in one alone. */
  readonly aspects: readonly Aspect[];
}

/** Lines that are no file's, and are in one of the texts alone. */
export interface LineDifference {
  readonly line: string;
  readonly isFirst: boolean;
}

export interface Comparison {
  readonly files: readonly FileDifference[];
  readonly lines: readonly LineDifference[];
  /** Paths in both that are equal. */
  readonly equal: number;
  /** All paths. */
  readonly all: number;
}

/** Compares two outputs file by file, in the order of their paths; what is no file, line by line. */
export function compareSignatures(first: Signature, second: Signature): Comparison {
  const files: FileDifference[] = [];
  let equal = 0;
  for (const [path, file] of first.files) {
    const other = second.files.get(path) ?? null;
    const aspects = other ? differing(file, other) : [];
    if (other && aspects.length === 0) equal++;
    else files.push({ path, first: file, second: other, aspects });
  }
  for (const [path, file] of second.files)
    if (!first.files.has(path)) files.push({ path, first: null, second: file, aspects: [] });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = [...missing(first.others, second.others, true), ...missing(second.others, first.others, false)];
  return { files, lines, equal, all: equal + files.length };
}

function differing(a: SignedFile, b: SignedFile): Aspect[] {
  const aspects: Aspect[] = [];
  if (a.type !== b.type) aspects.push('type');
  if (a.checksum !== b.checksum || a.size !== b.size) aspects.push('content');
  if (a.target !== b.target) aspects.push('target');
  if (a.mode !== b.mode) aspects.push('mode');
  if (a.owner !== b.owner) aspects.push('owner');
  if (a.time !== b.time) aspects.push('time');
  return aspects;
}

/** Lines of one text that the other does not have, or not as often. */
function missing(lines: readonly string[], others: readonly string[], isFirst: boolean): LineDifference[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.flatMap((line) => {
    const count = left.get(line) ?? 0;
    if (count === 0) return [{ line, isFirst }];
    left.set(line, count - 1);
    return [];
  });
}
