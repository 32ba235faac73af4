import type { Validator } from '../ajv.ts';
import type { RequestFigures } from '../meter/request-figures.ts';
import type { Access } from './rights.ts';
import type { LineScanner, Outcome, Reply } from './service.ts';
import type { Json } from './wire/messages.ts';
import type { WriteGate } from './write-gate.ts';

/**
 * A command as a row of its service's table. Rights, read-only mode, validation and statistics are read from the row
 * here and nowhere else; a handler takes validated input and returns the reply.
 * @typeParam S what the service's handlers work with, of one client
 */
export interface CommandRow<S> {
  /** Permissions a client must have, all of them, in the order in which a refusal names them. */
  readonly needs: readonly string[];
  /** Writes to the database. On a read-only server such a command is refused, or answered with `readOnlyReply`. */
  readonly writes?: true;
  readonly readOnlyReply?: Reply;
  /** Writes if it can, and has an answer if it cannot: a read-only server takes it like any other command. */
  readonly mayWrite?: true;
  /** Answered also where no other command of the table is. */
  readonly always?: true;
  /** Whether the answer may be as long as any message; it is then fetched only once there is room for it. */
  // biome-ignore lint/suspicious/noExplicitAny: asked before the argument is validated
  readonly isLong?: (arg: any) => boolean;
  /** Waits on purpose: its duration says nothing about the server, so statistics leave it out. */
  readonly untimed?: true;
  /** Counts itself at the gate from when it starts to write, because it first waits for something else. */
  readonly gatesItself?: true;
  /** JSON schema of the argument; without one any argument is taken. */
  readonly schema?: object;
  /** By the name of the field at fault: refusals for which older clients expect another text than ours. */
  readonly refusals?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each row's argument has the shape of its schema
  readonly handle?: (context: S, args: any) => Reply | Promise<Reply>;
  /** Instead of `handle`: takes adjacent requests of a connection together. */
  // biome-ignore lint/suspicious/noExplicitAny: each row's argument has the shape of its schema
  readonly batch?: (context: S, args: readonly any[]) => readonly Outcome[] | Promise<readonly Outcome[]>;
  /** Instead of `handle`: a stream command. May throw BadLine for the first bad line. */
  readonly stream?: (context: S, lines: readonly string[]) => string | Promise<string>;
  /** In addition to `stream`: answers lines from memory, from their bytes; null if none can be. */
  readonly scanner?: (context: S) => LineScanner | null;
}

/** What a service tells the dispatcher about itself. */
export interface DispatchOptions<S, R extends CommandRow<S>> {
  readonly rows: Readonly<Record<string, R>>;
  /** What clients may do, whatever their permissions; for clients that may do something else there is another dispatcher. */
  readonly access: Access;
  readonly validator: Validator;
  /** Limits what is being written; one for all services that share a store. */
  readonly gate?: WriteGate;
  /** Checks the rights of a client to requests of one command: the refusal, which is logged unless `quietly`, or null. */
  readonly authorize?: (
    context: S,
    row: R,
    args: readonly Json[],
    command: string,
    quietly: boolean,
  ) => Error | null | Promise<Error | null>;
  /** Told of every request or batch of them, in milliseconds. */
  readonly stats?: { record(count: number, elapsedMs: number): void };
  /** What is counted by command. */
  readonly figures?: RequestFigures;
}

/** What a service knows of one client, beside the rights to a command. */
export interface DispatchClient {
  /** Who it is logged in as; absent where there are no users. */
  readonly username?: string | null;
  /** The server requires a login that this client has yet to make. */
  readonly awaitsLogin: boolean;
  /** Its rights must be checked again, also in an open stream. */
  readonly isStale: boolean;
  /** The connection is gone. */
  close(): void;
}
