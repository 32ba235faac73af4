import type { Api } from './client.ts';
import { INSIGHT_MS, type Made } from './insights.ts';

/** A file as a signature text has it; what its line does not have is null. */
export interface SignedFile {
  readonly path: string;
  /** As `ls -l` writes it, the type in front. */
  readonly mode: string;
  readonly owner: string | null;
  readonly group: string | null;
  readonly time: string | null;
  readonly size: string | null;
  readonly checksum: string | null;
  readonly target: string | null;
}

export type FileChange = 'content' | 'size' | 'type' | 'mode' | 'owner' | 'time' | 'target';

/** A file that is not the same in both outputs. */
export type FileDifference =
  | { readonly kind: 'only-here' | 'only-there'; readonly path: string; readonly file: SignedFile }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly changes: readonly FileChange[];
      readonly here: SignedFile;
      readonly there: SignedFile;
    };

/** A line that one of the texts alone has. */
export interface LineDifference {
  readonly kind: 'only-here' | 'only-there';
  readonly number: number;
  readonly text: string;
}

export interface Output {
  readonly outhash: string;
  readonly created: string | null;
  readonly owner: string | null;
  readonly PN: string | null;
  readonly task: string | null;
  /** Null: it was reported without a signature text. */
  readonly siginfo_bytes: number | null;
}

/** `GET /insights/diff/TASKHASH`: `here` is the older output, unless others were named. */
export type DiffInsight = Made & {
  readonly taskhash: string;
  readonly method: string;
  readonly here: Output;
  readonly there: Output;
  /** By what is different, a file with several of them in each. */
  readonly counts: Readonly<Record<string, number>>;
  /** Lines about the task. */
  readonly header: readonly LineDifference[];
  readonly same: boolean;
  /** Only the beginning of a text was compared. */
  readonly cut: boolean;
  /** Of the task. */
  readonly outputs: readonly Output[];
} & (
    | {
        readonly form: 'files';
        readonly files: { readonly here: number; readonly there: number };
        readonly entries: readonly FileDifference[];
      }
    | { readonly form: 'lines'; readonly entries: readonly LineDifference[] }
  );

/** As many differences as the server tells at most. */
export const MOST_ENTRIES = 1000;

export interface DiffQuery {
  readonly method: string | null;
  /** Both, or none: then the newest two are compared. */
  readonly outhash: string | null;
  readonly other: string | null;
}

export const getDiff = (api: Api, taskhash: string, query: DiffQuery, signal: AbortSignal) =>
  api.ask<DiffInsight>('GET', ['insights', 'diff', taskhash], {
    query: { ...query, limit: MOST_ENTRIES },
    signal,
    timeoutMs: INSIGHT_MS,
  });
