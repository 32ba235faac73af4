import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { InvokeError, ProtocolError } from '../errors.ts';
import { type Command, type Outcome, type Reply, StreamFailure } from './service.ts';
import type { Json } from './wire/messages.ts';
import { WriteGate } from './write-gate.ts';

/**
 * A command as a row of its service's table. Rights, read-only mode, validation and statistics are read from the row
 * here and nowhere else; a handler takes validated input and returns the reply.
 * @typeParam S the service's session
 */
export interface CommandRow<S> {
  /** Permissions a client must have, all of them, in the order they are named in a refusal. */
  readonly needs: readonly string[];
  /** Writes to the database. On a read-only server such a command is refused, or answered with `readOnlyReply`. */
  readonly writes?: true;
  readonly readOnlyReply?: Reply;
  /** Writes where it can, and has an answer where it cannot: a read-only server takes it like any other command. */
  readonly mayWrite?: true;
  /** Whether the answer may be as long as a message can be; it is then fetched when there is room for it. */
  // biome-ignore lint/suspicious/noExplicitAny: asked before the argument is validated
  readonly isLong?: (arg: any) => boolean;
  /** Waits on purpose: how long it took says nothing of the server, and no statistics count it. */
  readonly untimed?: true;
  /** Counts itself at the gate, from when it begins to write: it first waits for something else. */
  readonly gatesItself?: true;
  /** JSON schema of the argument; without one any argument is taken. */
  readonly schema?: object;
  /** Refusals that older clients know by another text than ours, by the name of the field at fault. */
  readonly refusals?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each row's argument has the shape of its schema
  readonly handle?: (session: S, args: any) => Reply | Promise<Reply>;
  /** Instead of `handle`: takes neighbouring requests of a connection together. */
  // biome-ignore lint/suspicious/noExplicitAny: each row's argument has the shape of its schema
  readonly batch?: (session: S, args: readonly any[]) => readonly Outcome[] | Promise<readonly Outcome[]>;
  /** Instead of `handle`: a stream command. May throw BadLine for the first bad line. */
  readonly stream?: (session: S, lines: readonly string[]) => string | Promise<string>;
}

/** What a service tells the dispatcher about itself and its sessions. */
export interface DispatchOptions<S, R extends CommandRow<S>> {
  readonly rows: Readonly<Record<string, R>>;
  readonly readOnly: boolean;
  readonly ajv: Ajv;
  /** Bounds what is being written; one for all services that share a store. */
  readonly gate?: WriteGate;
  /** Checks the rights of a session to requests of one command: the refusal, or null. */
  readonly authorize?: (
    session: S,
    row: R,
    args: readonly Json[],
    command: string,
  ) => Error | null | Promise<Error | null>;
  /** Whether the rights of a session must be checked again, also in an open stream. */
  readonly isStale?: (session: S) => boolean;
  /** Told of every request or batch of them, in milliseconds. */
  readonly record?: (count: number, elapsedMs: number) => void;
}

interface DispatchCommand<R> extends Command {
  readonly row: R;
  validate: ValidateFunction | null;
}

/** A line of a stream that cannot be answered: those before `index` are, then the stream ends. */
export class BadLine extends ProtocolError {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/** What is held of a request counts as one more for each so many bytes: a report may carry 16 MiB. */
const BYTES_A_REQUEST = 4096;

/** How much requests count at the gate. */
export function weightOf(args: readonly unknown[]): number {
  let bytes = 0;
  for (const arg of args) bytes += textLength(arg);
  return args.length + Math.floor(bytes / BYTES_A_REQUEST);
}

function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 0;
  let length = 0;
  if (Array.isArray(value)) for (const each of value) length += textLength(each);
  else for (const name in value) length += textLength((value as Record<string, unknown>)[name]);
  return length;
}

/** A service's command table, ready to be asked. */
export class Dispatcher<S, R extends CommandRow<S> = CommandRow<S>> {
  private readonly commands = new Map<string, DispatchCommand<R>>();
  private readonly options: DispatchOptions<S, R>;

  constructor(options: DispatchOptions<S, R>) {
    this.options = options;
    const { rows, readOnly, gate = new WriteGate() } = options;
    for (const [name, row] of Object.entries(rows)) {
      const writes = !readOnly && (row.writes || row.mayWrite);
      const stream = !!row.stream;
      const carried = {
        stream,
        batches: !!row.batch,
        serial: stream && !!row.writes,
        gate: writes ? gate : null,
        isLong: row.isLong ?? null,
      };
      this.commands.set(name, { name, row, ...carried, validate: null });
    }
  }

  command(name: string): Command | null {
    return this.commands.get(name) ?? null;
  }

  /** What is refused whatever its argument says, as far as that is known at once. */
  denies(session: S, command: Command): Error | null {
    const verdict = this.refuse(session, this.own(command), []);
    return verdict instanceof Promise ? null : verdict;
  }

  /** Answers requests of one command; never throws. */
  invoke(session: S, command: Command, args: readonly Json[]): readonly Outcome[] | Promise<readonly Outcome[]> {
    const started = performance.now();
    const refusal = this.refuse(session, this.own(command), args);
    const outcomes =
      refusal instanceof Promise
        ? refusal.then((error) => this.run(session, command, args, error, started))
        : this.run(session, command, args, refusal, started);
    const gate = this.own(command).row.gatesItself ? null : command.gate;
    if (gate && outcomes instanceof Promise) gate.count(weightOf(args), outcomes);
    return outcomes;
  }

  /** Whether the session may enter a stream command. */
  enterStream(session: S, command: Command): Error | null | Promise<Error | null> {
    return this.refuse(session, this.own(command), []);
  }

  /** Answers lines of a stream; fails with StreamFailure at a bad line or a failed store. */
  stream(session: S, command: Command, lines: readonly string[]): string | Promise<string> {
    const { row } = this.own(command);
    if (row.needs.length > 0 && this.options.isStale?.(session)) return this.streamIfAllowed(session, command, lines);
    const started = performance.now();
    const handler = row.stream!;
    const done = (text: string) => {
      this.options.record?.(lines.length, performance.now() - started);
      return text;
    };
    const failed = async (error: unknown): Promise<string> => {
      if (!(error instanceof BadLine)) throw new StreamFailure('', error);
      const answered = error.index === 0 ? '' : await handler(session, lines.slice(0, error.index));
      throw new StreamFailure(answered, error);
    };
    try {
      const text = handler(session, lines);
      if (typeof text === 'string') return done(text);
      command.gate?.count(lines.length, text);
      return text.then(done, failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** A right that was lost ends an open stream too. */
  private async streamIfAllowed(session: S, command: Command, lines: readonly string[]): Promise<string> {
    const refusal = await this.enterStream(session, command);
    if (refusal) throw new StreamFailure('', refusal);
    return this.stream(session, command, lines);
  }

  private own(command: Command): DispatchCommand<R> {
    return command as DispatchCommand<R>;
  }

  private refuse(
    session: S,
    { row, name }: DispatchCommand<R>,
    args: readonly Json[],
  ): Error | null | Promise<Error | null> {
    if (this.options.readOnly && row.writes && row.readOnlyReply === undefined) {
      return new InvokeError('This server is read-only: the command would write');
    }
    const verdict = row.needs.length > 0 ? (this.options.authorize?.(session, row, args, name) ?? null) : null;
    // Rights that cannot be looked up refuse this request; the connection goes on.
    return verdict instanceof Promise ? verdict.catch((error: Error) => error) : verdict;
  }

  private run(
    session: S,
    command: Command,
    args: readonly Json[],
    refusal: Error | null,
    started: number,
  ): readonly Outcome[] | Promise<readonly Outcome[]> {
    if (refusal) return args.map(() => refusal);
    const { row } = this.own(command);
    const faults = args.map((arg) => this.validate(command, arg));
    if (this.options.readOnly && row.writes) return faults.map((fault) => fault ?? row.readOnlyReply!);
    const good = faults.some(Boolean) ? args.filter((_, i) => !faults[i]) : args;
    const settle = (outcomes: readonly Outcome[]) => {
      if (!row.untimed) this.options.record?.(args.length, performance.now() - started);
      if (good === args) return outcomes;
      let next = 0;
      return faults.map((fault) => fault ?? outcomes[next++]!);
    };
    if (good.length === 0) return settle([]);
    try {
      const outcomes = row.batch ? row.batch(session, good) : handleOne(row, session, good[0]!);
      if (!(outcomes instanceof Promise)) return settle(outcomes);
      return outcomes.then(settle, (error) => settle(good.map(() => error)));
    } catch (error) {
      return settle(good.map(() => error as Error));
    }
  }

  private validate(command: Command, arg: Json): InvokeError | null {
    const own = this.own(command);
    if (!own.row.schema) return null;
    own.validate ??= this.options.ajv.compile(own.row.schema);
    if (own.validate(arg)) return null;
    const fault = describeFault(own.validate.errors![0]!);
    return new InvokeError(own.row.refusals?.[fault.field] ?? `${command.name}: ${fault.text}`);
  }
}

function handleOne<S>(row: CommandRow<S>, session: S, arg: Json): readonly Outcome[] | Promise<readonly Outcome[]> {
  const reply = row.handle!(session, arg);
  return reply instanceof Promise ? reply.then((value) => [value]) : [reply];
}

/** An ajv error as a short sentence that begins with the field at fault. */
function describeFault(error: ErrorObject): { field: string; text: string } {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'required') {
    const field = [path, String(params.missingProperty)].filter(Boolean).join('.');
    return { field, text: `${field} is missing` };
  }
  const name = (path || 'the argument').slice(0, 80);
  if (error.keyword === 'type')
    return { field: path, text: `${name} must be ${String(params.type).replace(',', ' or ')}` };
  if (error.keyword === 'additionalProperties') {
    return {
      field: path,
      text: `${name} holds an unknown key ${JSON.stringify(String(params.additionalProperty).slice(0, 64))}`,
    };
  }
  if (error.keyword === 'format')
    return { field: path, text: `${name} must be ${FORMATS[String(params.format)] ?? params.format}` };
  if (error.keyword === 'minLength') return { field: path, text: `${name} is empty` };
  return { field: path, text: `${name} ${error.message ?? 'is wrong'}` };
}

/** What the text formats of the schemas mean, for a refusal. */
const FORMATS: Record<string, string> = {
  hash: 'a text of 1 to 256 bytes without control characters',
  text: 'a well-formed text of at most 1024 bytes without NUL',
  'long-text': 'a well-formed text without NUL',
  unihash: '64 lower-case hex digits',
  'pr-value': 'a non-negative integer or dotted integers of at most 9 digits each',
};
