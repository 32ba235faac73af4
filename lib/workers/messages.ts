import type { Address } from '../asyncrpc/transport/address.ts';
import { BakeservError, type ErrorCode, InvokeError, type RefusalKind } from '../errors.ts';
import type { JobsCall } from '../jobs/elsewhere.ts';
import type { History } from '../recorder/recorder.ts';
import type { Span } from '../recorder/view.ts';
import type { Config } from '../settings/config.ts';
import type { ListenerReport } from '../settings/rights.ts';

/** A listener, as workers are told of it. */
export interface DoorNotice {
  readonly address: Address;
  readonly asked: Address | null;
  readonly bind: number | null;
}

/** What a worker reports of a listener. */
export interface DoorReport {
  readonly report: ListenerReport;
  readonly certificate: { readonly file: string; readonly expires: Date } | null;
}

/** An error on its way to another process. */
export interface SentError {
  readonly message: string;
  /** Null where it is none of ours. */
  readonly code: ErrorCode | null;
  /** Of a request that is refused. */
  readonly refusal: RefusalKind | null;
}

/** What the leading process wants of a worker, and what it is given with that. */
export interface Wishes {
  /** Settings to take over. Answered with `TakenOver`, and the listeners as they are then. */
  takeOver: Config;
  reopen: null;
  check: null;
  loading: null;
  metrics: null;
  /** What it counts, for the record; the value says whether it is to count rows too. */
  figures: boolean;
  missed: null;
  lags: null;
  mirrors: null;
  warnings: null;
  /** What a client of another worker wants of the jobs. */
  jobs: JobsCall;
}

/** What a worker wants to know of all of them. */
export type Question = 'metrics' | 'clients' | 'jobs' | 'mirrors' | 'history';

/** Which figures over time a worker wants. */
export interface HistoryQuestion {
  readonly of: keyof History;
  readonly span: Span;
}

export interface Answer {
  readonly kind: 'answer';
  readonly id: number;
  readonly value: unknown;
  readonly error: SentError | null;
}

/** From the leading process to a worker. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly config: Config;
      readonly worker: number;
      /** It watches what a server watches by itself. */
      readonly leads: boolean;
      readonly joinsOthers: boolean;
      /** What a start says is said once for all of them. */
      readonly speaks: boolean;
    }
  | { readonly kind: 'listeners'; readonly list: readonly DoorNotice[]; readonly inherited: boolean }
  /** A client comes with this message. */
  | { readonly kind: 'client'; readonly id: number; readonly door: number }
  | { readonly kind: 'ask'; readonly id: number; readonly what: keyof Wishes; readonly value: unknown }
  | Answer
  /** Answered as soon as it is read. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'stop' };

/** From a worker. */
export type FromWorker =
  | { readonly kind: 'opened' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'ready'; readonly doors: readonly DoorReport[] }
  /** It could not start, or its database can no longer be trusted. */
  | { readonly kind: 'refused' | 'failed'; readonly error: SentError }
  /** Clients that have arrived since it last said so, and those that have gone. */
  | { readonly kind: 'clients'; readonly taken: number; readonly gone: readonly number[] }
  | Answer
  | { readonly kind: 'ask'; readonly id: number; readonly what: Question; readonly value: unknown };

export function sentError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof BakeservError ? error.code : null;
  return { message, code, refusal: error instanceof InvokeError ? error.kind : null };
}

/** The error as it was, but for its cause. */
export function errorFrom({ message, code, refusal }: SentError): BakeservError {
  return refusal === null
    ? new BakeservError(code ?? 'worker-error', message)
    : new InvokeError(message, undefined, refusal);
}
