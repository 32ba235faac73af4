import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Args } from '../args/args.ts';

/** What an insight answers. */
export type Answer = { readonly [key: string]: Json };
export type Entry = { readonly [key: string]: Json };

/** How the values of a column are shown to people. CSV has them as they are. */
export type Kind = 'text' | 'count' | 'bytes' | 'time' | 'hash';

export interface Column {
  /** The key in an entry. */
  readonly key: string;
  readonly title: string;
  readonly kind: Kind;
}

/** A list in the answer. */
export interface List {
  /** The key in the answer, and the name for `--list`. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  /** Where they are made of something else in the answer. */
  entries?(answer: Answer): readonly Entry[];
  /** Shown where there is nothing in it. */
  readonly empty: string;
}

/** How an insight is asked for, and its answer shown. A further one is a file in `views/` and a row in `views.ts`. */
export interface View {
  readonly command: string;
  /** Its own options, by name. `limit`, `list`, `csv` and `json` are those of all. */
  readonly options: readonly string[];
  /** The argument of the command; without what was not given. */
  argument(args: Args): { readonly [key: string]: Json };
  /** The first is what CSV has where none is named. */
  readonly lists: readonly List[];
  /** Lines below the tables. */
  notes(answer: Answer): readonly string[];
}

export const text = (key: string, title: string): Column => ({ key, title, kind: 'text' });
export const count = (key: string, title: string): Column => ({ key, title, kind: 'count' });
export const bytes = (key: string, title: string): Column => ({ key, title, kind: 'bytes' });
export const time = (key: string, title: string): Column => ({ key, title, kind: 'time' });
export const hash = (key: string, title: string): Column => ({ key, title, kind: 'hash' });

/** A number of the command line, as a part of an argument; nothing where it was not given. */
export const numberOf = (args: Args, option: string, name: string): { readonly [key: string]: Json } =>
  args.has(option) ? { [name]: args.number(option, 0) } : {};
