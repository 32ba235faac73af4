import type { Api } from './client.ts';

export interface Warning {
  readonly code: string;
  readonly severity: 'warning' | 'critical';
  readonly text: string;
  /** Which file or address it is about; told to those who may collect garbage. */
  readonly subject?: string | null;
  readonly since: string | null;
}

export interface ListenerStatus {
  readonly address: string;
  readonly hashserv: 'read-write' | 'read-only' | 'none' | null;
  readonly prserv: 'read-write' | 'read-only' | 'none' | null;
  /** What clients may do without a login. */
  readonly anonymous: readonly string[];
  readonly prLogin: boolean;
  readonly clientCertificates?: boolean;
}

export interface Mirror {
  readonly source: string;
  readonly every_seconds: number;
  readonly state: 'waiting' | 'level' | 'away' | 'refused';
  readonly running: boolean;
  readonly level_at: string | null;
  readonly lag_seconds: number;
  readonly failing_since: string | null;
  readonly error: string | null;
  readonly conflicts: number;
  readonly rows: { readonly unihashes: number; readonly outhashes: number; readonly values: number };
}

/** `GET /status`; what is optional is told to those who may collect garbage. */
export interface Status {
  readonly version: string;
  readonly started: string;
  readonly uptime_seconds: number;
  readonly ready: boolean;
  readonly clients: number;
  readonly upstreams: Readonly<Record<string, 'reachable' | 'unreachable'>>;
  readonly warnings?: readonly Warning[];
  readonly listeners?: readonly ListenerStatus[];
  readonly databases?: Readonly<Record<string, string | null>>;
  readonly upstream_addresses?: Readonly<Record<string, string | null>>;
  readonly mirrors?: readonly Mirror[];
  readonly gc?: { readonly keep: number; readonly remove: number; readonly mark: string | null };
}

export type Span = 'hour' | 'day' | 'month';

/** `GET /history`: the figures of buckets, the last of which is not over yet. */
export interface History {
  readonly span: Span;
  readonly bucket_seconds: number;
  readonly from: string;
  readonly to: string;
  readonly recorded_since: string | null;
  readonly times: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export const getStatus = (api: Api, signal: AbortSignal) => api.ask<Status>('GET', ['status'], { signal });

export const getHistory = (api: Api, span: Span, signal: AbortSignal) =>
  api.ask<History>('GET', ['history'], { query: { span }, signal });
