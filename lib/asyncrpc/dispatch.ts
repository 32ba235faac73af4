import type { Ajv, ValidateFunction } from 'ajv';
import { InvokeError, ProtocolError } from '../errors.ts';
import type { Access } from './rights.ts';
import { describeFault } from './schemas.ts';
import { type Command, type LineScanner, type Outcome, type Reply, type Session, StreamFailure } from './service.ts';
import type { Json } from './wire/messages.ts';
import { WriteGate } from './write-gate.ts';

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
  readonly ajv: Ajv;
  /** Limits what is being written; one for all services that share a store. */
  readonly gate?: WriteGate;
  /** Checks the rights of a client to requests of one command: the refusal, or null. */
  readonly authorize?: (
    context: S,
    row: R,
    args: readonly Json[],
    command: string,
  ) => Error | null | Promise<Error | null>;
  /** Told of every request or batch of them, in milliseconds. */
  readonly stats?: { record(count: number, elapsedMs: number): void };
}

/** What a service knows of one client, beside the rights to a command. */
export interface DispatchClient {
  /** The server requires a login that this client has yet to make. */
  readonly awaitsLogin: boolean;
  /** Its rights must be checked again, also in an open stream. */
  readonly isStale: boolean;
  /** The connection is gone. */
  close(): void;
}

interface TableCommand<R> extends Command {
  readonly row: R;
  validate: ValidateFunction | null;
}

/** A stream line that cannot be answered: those before `index` are, then the stream ends. */
export class BadLine extends ProtocolError {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

/** A request counts as one more for each of these bytes it holds: a report may carry 16 MiB. */
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

/** Opens the session of a client: its table's commands, run with a context. */
export type Dispatcher<S> = (context: S, client: DispatchClient) => Session;

/** A service's command table, ready to be asked by any number of clients that may do the same. */
export function createDispatcher<S, R extends CommandRow<S> = CommandRow<S>>(
  options: DispatchOptions<S, R>,
): Dispatcher<S> {
  const { rows, access, gate = new WriteGate() } = options;
  const commands = new Map<string, TableCommand<R>>();
  for (const [name, row] of Object.entries(rows)) {
    const stream = !!row.stream;
    commands.set(name, {
      name,
      row,
      stream,
      batches: !!row.batch,
      serial: stream && !!row.writes,
      gate: access === 'read-write' && (row.writes || row.mayWrite) ? gate : null,
      isLong: row.isLong ?? null,
      validate: null,
    });
  }
  return (context, client) => new TableSession(commands, options, context, client);
}

/** One client of a command table. The commands it is handed are those it gave out. */
class TableSession<S, R extends CommandRow<S>> implements Session {
  private readonly commands: ReadonlyMap<string, TableCommand<R>>;
  private readonly options: DispatchOptions<S, R>;
  private readonly context: S;
  private readonly client: DispatchClient;

  constructor(
    commands: ReadonlyMap<string, TableCommand<R>>,
    options: DispatchOptions<S, R>,
    context: S,
    client: DispatchClient,
  ) {
    this.commands = commands;
    this.options = options;
    this.context = context;
    this.client = client;
  }

  get awaitsLogin(): boolean {
    return this.client.awaitsLogin;
  }

  command(name: string): Command | null {
    return this.commands.get(name) ?? null;
  }

  refuses(command: Command): Error | null | Promise<Error | null> {
    return this.refuse(command as TableCommand<R>, []);
  }

  invoke(command: Command, args: readonly Json[]): readonly Outcome[] | Promise<readonly Outcome[]> {
    const own = command as TableCommand<R>;
    const started = performance.now();
    const refusal = this.refuse(own, args);
    const outcomes =
      refusal instanceof Promise
        ? refusal.then((error) => this.run(own, args, error, started))
        : this.run(own, args, refusal, started);
    if (own.gate && !own.row.gatesItself && outcomes instanceof Promise) own.gate.count(weightOf(args), outcomes);
    return outcomes;
  }

  stream(command: Command, lines: readonly string[]): string | Promise<string> {
    const { row } = command as TableCommand<R>;
    if (row.needs.length > 0 && this.client.isStale) return this.streamIfAllowed(command, lines);
    const started = performance.now();
    const handler = row.stream!;
    const done = (text: string) => {
      this.options.stats?.record(lines.length, performance.now() - started);
      return text;
    };
    const failed = async (error: unknown): Promise<string> => {
      if (!(error instanceof BadLine)) throw new StreamFailure('', error);
      const answered = error.index === 0 ? '' : await handler(this.context, lines.slice(0, error.index));
      throw new StreamFailure(answered, error);
    };
    try {
      const text = handler(this.context, lines);
      if (typeof text === 'string') return done(text);
      command.gate?.count(lines.length, text);
      return text.then(done, failed);
    } catch (error) {
      return failed(error);
    }
  }

  scanner(command: Command): LineScanner | null {
    const { row } = command as TableCommand<R>;
    const scanner = row.scanner?.(this.context);
    if (!scanner) return null;
    const { client } = this;
    const { stats } = this.options;
    const hasNeeds = row.needs.length > 0;
    return {
      scan(input, from, output, most) {
        // Rights are looked at again by the way of all other lines.
        if (hasNeeds && client.isStale) return { end: from, written: 0, lines: 0 };
        const started = performance.now();
        const scanned = scanner.scan(input, from, output, most);
        if (scanned.lines > 0) stats?.record(scanned.lines, performance.now() - started);
        return scanned;
      },
    };
  }

  close(): void {
    this.client.close();
  }

  /** Losing a right ends an open stream too. */
  private async streamIfAllowed(command: Command, lines: readonly string[]): Promise<string> {
    const refusal = await this.refuses(command);
    if (refusal) throw new StreamFailure('', refusal);
    return this.stream(command, lines);
  }

  private refuse({ row, name }: TableCommand<R>, args: readonly Json[]): Error | null | Promise<Error | null> {
    const { access } = this.options;
    if (access === 'none' && !row.always) {
      return new InvokeError('This listener does not serve these commands: connect to another address of the server');
    }
    if (access !== 'read-write' && row.writes && row.readOnlyReply === undefined) {
      return new InvokeError('This server is read-only: the command would write');
    }
    const verdict = row.needs.length > 0 ? (this.options.authorize?.(this.context, row, args, name) ?? null) : null;
    // If the rights cannot be looked up, this request is refused; the connection goes on.
    return verdict instanceof Promise ? verdict.catch((error: Error) => error) : verdict;
  }

  private run(
    command: TableCommand<R>,
    args: readonly Json[],
    refusal: Error | null,
    started: number,
  ): readonly Outcome[] | Promise<readonly Outcome[]> {
    if (refusal) return args.map(() => refusal);
    const { row } = command;
    const faults = args.map((arg) => this.validate(command, arg));
    if (this.options.access === 'read-only' && row.writes) return faults.map((fault) => fault ?? row.readOnlyReply!);
    const good = faults.some(Boolean) ? args.filter((_, i) => !faults[i]) : args;
    const settle = (outcomes: readonly Outcome[]) => {
      if (!row.untimed) this.options.stats?.record(args.length, performance.now() - started);
      if (good === args) return outcomes;
      let next = 0;
      return faults.map((fault) => fault ?? outcomes[next++]!);
    };
    if (good.length === 0) return settle([]);
    try {
      const outcomes = row.batch ? row.batch(this.context, good) : handleOne(row, this.context, good[0]!);
      if (!(outcomes instanceof Promise)) return settle(outcomes);
      return outcomes.then(settle, (error) => settle(good.map(() => error)));
    } catch (error) {
      return settle(good.map(() => error as Error));
    }
  }

  private validate(command: TableCommand<R>, arg: Json): InvokeError | null {
    const { row, name } = command;
    if (!row.schema) return null;
    command.validate ??= this.options.ajv.compile(row.schema);
    if (command.validate(arg)) return null;
    const fault = describeFault(command.validate.errors![0]!);
    return new InvokeError(row.refusals?.[fault.field] ?? `${name}: ${fault.text}`);
  }
}

function handleOne<S>(row: CommandRow<S>, context: S, arg: Json): readonly Outcome[] | Promise<readonly Outcome[]> {
  const reply = row.handle!(context, arg);
  return reply instanceof Promise ? reply.then((value) => [value]) : [reply];
}
