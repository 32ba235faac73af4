import type { Json } from '../../asyncrpc/wire/messages.ts';

/** What a route reads from a request: everything is text but the body. */
export interface ApiArguments {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: { readonly [key: string]: Json };
}

export type ApiService = 'OEHASHEQUIV' | 'PRSERVICE';

/** A route as data: the command of the protocol that it is, and where its argument comes from. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly id: string;
  readonly tag: 'hash equivalence' | 'PR values' | 'users' | 'jobs' | 'insights';
  readonly summary: string;
  /** The service of the command; a function where the request names it. */
  readonly service: ApiService | ((given: ApiArguments) => ApiService);
  readonly command: string;
  argument(given: ApiArguments): Json;
  /** Parameters behind the question mark. */
  readonly query?: Readonly<Record<string, object>>;
  readonly body?: object;
  /** What is answered. */
  readonly answer: object;
  /** The status of an answer; 200 without it. */
  readonly status?: 201 | 202;
}
