import { InvokeError } from '../../errors.ts';
import { clientMessage, isFault, unknownCommand } from '../faults.ts';
import type { HubFigures } from '../hub-figures.ts';
import type { Limits } from '../limits.ts';
import {
  type Command,
  EncodedReply,
  type Outcome,
  type Peer,
  type Service,
  type Session,
  StreamedReply,
  StreamFailure,
} from '../service.ts';
import { encodeJson, encodePieces, isLong, type Json, lengthOf, parseMessage } from '../wire/messages.ts';
import { isStreamLine } from '../wire/stream-line.ts';

/** A reply line with its newline, or its pieces if it is too long to be held whole. */
export interface PlainAnswer {
  readonly written: string | AsyncIterable<string>;
  /** At least this many bytes are held for the pieces. */
  readonly bytes: number;
}

/** What the plain form needs of its connection. */
export interface PlainHost {
  /** Called with our own faults. */
  onFailure(error: Error): void;
  /** Of all connections. */
  readonly figures: HubFigures;
  /** Resolves when an answer of any length may be fetched; null when it may be at once. */
  untilRoom(): Promise<void> | null;
}

interface PlainRequest {
  readonly method: string;
  readonly params: Json;
  readonly service: Json;
}

/** Whether a connection's first line asks for the plain form: no protocol line begins like this. */
export function isPlain(firstLine: string): boolean {
  return firstLine.startsWith('{');
}

/**
 * A client that speaks the plain form: a request a line, `{"id": …, "method": "get-pr", "params": {…}}`, and a reply
 * a line, `{"id": …, "result": …, "error": null | {"message"}}`. For scripts, nc and jq. Every command of every service
 * can be called; a stream command takes `{"lines": […]}` and returns a list. A bad request is answered and does not close the connection.
 */
export class PlainSession {
  private readonly sessions: ReadonlyMap<string, Session>;
  private readonly limits: Limits;
  private readonly host: PlainHost;
  private leaveGate: (() => void) | null = null;

  constructor(services: Iterable<Service>, peer: Peer, limits: Limits, host: PlainHost) {
    this.sessions = new Map([...services].map((service) => [service.protocol, service.open(peer, [])]));
    this.limits = limits;
    this.host = host;
  }

  /** True while a service requires a login that this client has yet to make. */
  get awaitsLogin(): boolean {
    for (const session of this.sessions.values()) if (session.awaitsLogin) return true;
    return false;
  }

  /** Answers a line; never rejects. */
  async answer(line: string): Promise<PlainAnswer> {
    let id: Json = null;
    try {
      this.checkLength(line);
      const message = parseMessage(line, this.limits.maxJsonDepth, this.limits.maxJsonKeys);
      id = member(message, 'id') ?? null;
      const request = readRequest(message);
      const { session, command } = this.find(request);
      if (command.isLong?.(request.params)) await this.host.untilRoom();
      const outcome = command.stream
        ? await this.runStream(session, command, request.params)
        : (await this.handOver(command, () => session.invoke(command, [request.params])))[0]!;
      return this.encode(id, outcome);
    } catch (error) {
      return this.encode(id, error as Error);
    }
  }

  close(): void {
    this.leaveGate?.();
    for (const session of this.sessions.values()) session.close();
  }

  private checkLength(line: string): void {
    const { maxMessageBeforeLoginBytes: limit } = this.limits;
    if (line.length <= limit || !this.awaitsLogin) return;
    this.host.figures.hits.maxMessageBeforeLoginBytes++;
    throw new InvokeError(`a message is longer than ${limit} bytes`);
  }

  private find({ method, service }: PlainRequest): { session: Session; command: Command } {
    if (service !== null && (typeof service !== 'string' || !this.sessions.has(service)))
      throw new InvokeError(`service must be one of ${[...this.sessions.keys()].join(', ')}`);
    for (const [name, session] of this.sessions) {
      const command = service === null || service === name ? session.command(method) : null;
      if (command) return { session, command };
    }
    this.host.figures.unknownRequests++;
    throw unknownCommand(method);
  }

  /** Runs it at once, or in its turn at the command's gate; then inside the gate's call, or others behind it would come first. */
  private handOver<T>({ gate }: Command, task: () => T | Promise<T>): T | Promise<T> {
    if (!gate || gate.isOpen) return task();
    return new Promise((resolve, reject) => {
      this.leaveGate = gate.wait(() => {
        try {
          resolve(task());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  private async runStream(session: Session, command: Command, params: Json): Promise<Json> {
    const lines = streamLines(params);
    const refusal = await session.refuses(command);
    session.count?.(command, refusal);
    if (refusal) throw refusal;
    const answered: string[] = [];
    for (let at = 0; at < lines.length; at += this.limits.maxInFlight) {
      const slice = lines.slice(at, at + this.limits.maxInFlight);
      const text = await this.handOver(command, () => session.stream(command, slice));
      answered.push(...text.split('\n').slice(0, -1));
    }
    session.streamEnded?.();
    return answered;
  }

  private encode(id: Json, outcome: Outcome): PlainAnswer {
    const before = `{"id": ${encodeJson(id)}, "result": `;
    const after = ', "error": null}\n';
    if (outcome instanceof StreamedReply) return { written: surround(before, outcome.pieces, after), bytes: 0 };
    if (outcome instanceof EncodedReply) return whole(before + outcome.text + after);
    if (!(outcome instanceof Error)) {
      if (!isLong(outcome)) return whole(before + encodeJson(outcome) + after);
      return { written: surround(before, encodePieces(outcome), after), bytes: lengthOf(outcome) };
    }
    const error = outcome instanceof StreamFailure ? (outcome.cause as Error) : outcome;
    if (isFault(error)) this.host.onFailure(error);
    // A line that is no JSON, or too deep: the client's own doing.
    else this.host.figures.note(error);
    return whole(`${before}null, "error": ${encodeJson({ message: clientMessage(error) })}}\n`);
  }
}

const whole = (written: string): PlainAnswer => ({ written, bytes: 0 });

async function* surround(
  before: string,
  pieces: AsyncIterable<string> | Iterable<string>,
  after: string,
): AsyncGenerator<string> {
  yield before;
  yield* pieces;
  yield after;
}

function readRequest(message: Json): PlainRequest {
  if (message === null || typeof message !== 'object' || Array.isArray(message))
    throw new InvokeError('A request must be an object: {"id": 1, "method": "ping", "params": {}}');
  const method = member(message, 'method');
  if (typeof method !== 'string') throw new InvokeError('method must be a text: the name of a command');
  return { method, params: member(message, 'params') ?? {}, service: member(message, 'service') ?? null };
}

function member(message: Json, key: string): Json | undefined {
  const object = message !== null && typeof message === 'object' && !Array.isArray(message);
  return object && Object.hasOwn(message, key) ? message[key] : undefined;
}

function streamLines(params: Json): readonly string[] {
  const lines = member(params, 'lines');
  const good = (line: Json) => typeof line === 'string' && isStreamLine(line);
  if (Array.isArray(lines) && lines.every(good)) return lines as string[];
  throw new InvokeError(
    'lines must be a list of texts without newlines, none of them END: the list is the whole stream',
  );
}
