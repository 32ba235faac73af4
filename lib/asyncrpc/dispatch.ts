import { performance } from 'node:perf_hooks';
import type { ValidateFunction } from 'ajv';
import { InvokeError, ProtocolError } from '../errors.ts';
import { type CommandFigures, RequestFigures, type Result } from '../meter/request-figures.ts';
import type { CommandRow, DispatchClient, DispatchOptions } from './command-row.ts';
import { isFault } from './faults.ts';
import { describeFault } from './schemas.ts';
import { type Command, type LineScanner, type Outcome, type Session, StreamFailure } from './service.ts';
import { weightOf } from './weight.ts';
import type { Json } from './wire/messages.ts';
import { WriteGate } from './write-gate.ts';

interface TableCommand<R> extends Command {
  readonly row: R;
  readonly figures: CommandFigures;
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

/** Opens the session of a client: its table's commands, run with a context. */
export type Dispatcher<S> = (context: S, client: DispatchClient) => Session;

/** A service's command table, ready to be asked by any number of clients that may do the same. */
export function createDispatcher<S, R extends CommandRow<S> = CommandRow<S>>(
  options: DispatchOptions<S, R>,
): Dispatcher<S> {
  const { rows, access, gate = new WriteGate(), figures = requestFiguresOf(rows) } = options;
  const commands = new Map<string, TableCommand<R>>();
  for (const [name, row] of Object.entries(rows)) {
    const stream = !!row.stream;
    commands.set(name, {
      name,
      row,
      figures: figures.of(name),
      stream,
      batches: !!row.batch,
      serial: stream && !!row.writes,
      gate: access === 'read-write' && (row.writes || row.mayWrite) ? gate : null,
      isLong: row.isLong ?? null,
      validate: null,
    });
  }
  return (context, client) => new TableSession(commands, figures.unknown, options, context, client);
}

/** The figures for a table's commands. */
export function requestFiguresOf(rows: Readonly<Record<string, { readonly stream?: unknown }>>): RequestFigures {
  return new RequestFigures(Object.entries(rows).map(([name, { stream }]) => [name, !!stream]));
}

/** One client of a command table. The commands it is handed are those it gave out. */
class TableSession<S, R extends CommandRow<S>> implements Session {
  private readonly commands: ReadonlyMap<string, TableCommand<R>>;
  private readonly unknown: CommandFigures;
  private readonly options: DispatchOptions<S, R>;
  private readonly context: S;
  private readonly client: DispatchClient;

  constructor(
    commands: ReadonlyMap<string, TableCommand<R>>,
    unknown: CommandFigures,
    options: DispatchOptions<S, R>,
    context: S,
    client: DispatchClient,
  ) {
    this.commands = commands;
    this.unknown = unknown;
    this.options = options;
    this.context = context;
    this.client = client;
  }

  get username(): string | null {
    return this.client.username ?? null;
  }

  get awaitsLogin(): boolean {
    return this.client.awaitsLogin;
  }

  command(name: string): Command | null {
    return this.commands.get(name) ?? null;
  }

  refuses(command: Command, quietly = false): Error | null | Promise<Error | null> {
    return this.refuse(command as TableCommand<R>, [], quietly);
  }

  count(command: Command | null, refusal: Error | null): void {
    const figures = command ? (command as TableCommand<R>).figures : this.unknown;
    figures.note(resultOf(refusal), 1, null);
  }

  invoke(command: Command, args: readonly Json[]): readonly Outcome[] | Promise<readonly Outcome[]> {
    const own = command as TableCommand<R>;
    const started = performance.now();
    const refusal = this.refuse(own, args, false);
    const outcomes =
      refusal instanceof Promise
        ? refusal.then((error) => this.run(own, args, error, started))
        : this.run(own, args, refusal, started);
    if (own.gate && !own.row.gatesItself && outcomes instanceof Promise) own.gate.count(weightOf(args), outcomes);
    return outcomes;
  }

  stream(command: Command, lines: readonly string[]): string | Promise<string> {
    const { row, figures } = command as TableCommand<R>;
    if (row.needs.length > 0 && this.client.isStale) return this.streamIfAllowed(command, lines);
    const started = performance.now();
    const handler = row.stream!;
    const noteLines = (count: number) => this.noteLines(figures, count, performance.now() - started);
    const done = (text: string) => {
      noteLines(lines.length);
      return text;
    };
    const failed = async (error: unknown): Promise<string> => {
      if (!(error instanceof BadLine)) {
        figures.lines!.failed += lines.length;
        throw new StreamFailure('', error);
      }
      const answered = error.index === 0 ? '' : await handler(this.context, lines.slice(0, error.index));
      noteLines(error.index);
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
    const { row, figures } = command as TableCommand<R>;
    const scanner = row.scanner?.(this.context);
    if (!scanner) return null;
    const { client } = this;
    const hasNeeds = row.needs.length > 0;
    return {
      scan: (input, from, to, output, most) => {
        // Rights are looked at again by the way of all other lines.
        if (hasNeeds && client.isStale) return { end: from, written: 0, lines: 0, misses: 0 };
        const started = performance.now();
        const scanned = scanner.scan(input, from, to, output, most);
        figures.lines!.hit += scanned.lines - scanned.misses;
        figures.lines!.miss += scanned.misses;
        if (scanned.lines > 0) this.noteLines(figures, scanned.lines, performance.now() - started);
        return scanned;
      },
    };
  }

  close(): void {
    this.client.close();
  }

  /** Every request that has its answer comes by here, with those that were handed over together. */
  private note(command: TableCommand<R>, outcomes: readonly Outcome[], elapsedMs: number): void {
    let refused = 0;
    let failed = 0;
    for (const outcome of outcomes) {
      if (!(outcome instanceof Error)) continue;
      if (isFault(outcome)) failed++;
      else refused++;
    }
    const { figures, row } = command;
    const timed = row.untimed ? null : elapsedMs;
    figures.note('ok', outcomes.length - refused - failed, timed);
    figures.note('refused', refused, timed);
    figures.note('failed', failed, timed);
  }

  /** And here every line of a stream; what it came to is counted by whoever answers it. */
  private noteLines({ lines }: CommandFigures, count: number, elapsedMs: number): void {
    this.options.stats?.record(count, elapsedMs);
    lines!.seconds.observe(elapsedMs / 1000, count);
  }

  /** Losing a right ends an open stream too. */
  private async streamIfAllowed(command: Command, lines: readonly string[]): Promise<string> {
    const refusal = await this.refuses(command);
    if (refusal) throw new StreamFailure('', refusal);
    return this.stream(command, lines);
  }

  private refuse(
    { row, name }: TableCommand<R>,
    args: readonly Json[],
    quietly: boolean,
  ): Error | null | Promise<Error | null> {
    const { access } = this.options;
    if (access === 'none' && !row.always) {
      return new InvokeError(
        'This listener does not serve these commands: connect to another address of the server',
        undefined,
        'closed',
      );
    }
    if (access !== 'read-write' && row.writes && row.readOnlyReply === undefined) {
      return new InvokeError('This server is read-only: the command would write', undefined, 'read-only');
    }
    const verdict =
      row.needs.length > 0 ? (this.options.authorize?.(this.context, row, args, name, quietly) ?? null) : null;
    // If the rights cannot be looked up, this request is refused; the connection goes on.
    return verdict instanceof Promise ? verdict.catch((error: Error) => error) : verdict;
  }

  private run(
    command: TableCommand<R>,
    args: readonly Json[],
    refusal: Error | null,
    started: number,
  ): readonly Outcome[] | Promise<readonly Outcome[]> {
    const { row } = command;
    const noted = (outcomes: readonly Outcome[]) => {
      this.note(command, outcomes, performance.now() - started);
      return outcomes;
    };
    if (refusal) return noted(args.map(() => refusal));
    const faults = args.map((arg) => this.validate(command, arg));
    if (this.options.access === 'read-only' && row.writes)
      return noted(faults.map((fault) => fault ?? row.readOnlyReply!));
    const good = faults.some(Boolean) ? args.filter((_, i) => !faults[i]) : args;
    const settle = (outcomes: readonly Outcome[]) => {
      if (!row.untimed) this.options.stats?.record(args.length, performance.now() - started);
      if (good === args) return noted(outcomes);
      let next = 0;
      return noted(faults.map((fault) => fault ?? outcomes[next++]!));
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
    command.validate ??= this.options.validator.compile(row.schema);
    if (command.validate(arg)) return null;
    const fault = describeFault(command.validate.errors![0]!);
    return new InvokeError(row.refusals?.[fault.field] ?? `${name}: ${fault.text}`, undefined, 'invalid');
  }
}

function resultOf(refusal: Error | null): Result {
  if (!refusal) return 'ok';
  return isFault(refusal) ? 'failed' : 'refused';
}

function handleOne<S>(row: CommandRow<S>, context: S, arg: Json): readonly Outcome[] | Promise<readonly Outcome[]> {
  const reply = row.handle!(context, arg);
  return reply instanceof Promise ? reply.then((value) => [value]) : [reply];
}
