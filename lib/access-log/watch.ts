import { invokeError } from '../asyncrpc/faults.ts';
import {
  type Command,
  EncodedReply,
  type LineScanner,
  type Outcome,
  type Peer,
  type Service,
  type Session,
  StreamedReply,
  StreamFailure,
} from '../asyncrpc/service.ts';
import { encodeJson, isLong, type Json, lengthOf } from '../asyncrpc/wire/messages.ts';
import { type Entry, entryWriter, type Who } from './entry.ts';
import { countPieces } from './pieces.ts';
import { resultOf } from './result.ts';
import { StreamSum } from './stream-sum.ts';

/** Where lines go, and what is in them beside what the client does. */
export interface Sink {
  /** Takes a line; never waits. */
  readonly add: (line: string) => void;
  /** The address a client came by, or null where that is not known. */
  readonly listenerOf: (peer: Peer) => string | null;
}

/** The service, with a line in the access log for each request, stream and connection. */
export function watchService(service: Service, log: Sink): Service {
  return {
    ...service,
    open: (peer, via) => new WatchedSession(service.open(peer, via), service.protocol, peer, log),
  };
}

/** A client's session; what it is asked, and how that ends, goes into the log. */
class WatchedSession implements Session {
  private readonly session: Session;
  private readonly write: (entry: Entry) => void;
  private readonly since = performance.now();
  /** The stream that is open. */
  private sum: StreamSum | null = null;
  private requests = 0;
  private lines = 0;
  private bytes = 0;

  constructor(session: Session, service: string, peer: Peer, log: Sink) {
    this.session = session;
    const who: Who = { peer: peer.name, listener: log.listenerOf(peer), service };
    this.write = entryWriter(who, () => session.username ?? null, log.add);
  }

  get username(): string | null {
    return this.session.username ?? null;
  }

  get awaitsLogin(): boolean {
    return this.session.awaitsLogin;
  }

  command(name: string): Command | null {
    return this.session.command(name);
  }

  refuses(command: Command, quietly?: boolean): Error | null | Promise<Error | null> {
    return this.session.refuses(command, quietly);
  }

  count(command: Command | null, refusal: Error | null): void {
    this.session.count?.(command, refusal);
    // A stream that is entered has its line when it ends.
    if (refusal) this.request(command?.name ?? null, refusal, performance.now());
  }

  invoke(command: Command, args: readonly Json[]): readonly Outcome[] | Promise<readonly Outcome[]> {
    const started = performance.now();
    const outcomes = this.session.invoke(command, args);
    if (outcomes instanceof Promise) return outcomes.then((all) => this.answered(command, all, started));
    return this.answered(command, outcomes, started);
  }

  stream(command: Command, lines: readonly string[]): string | Promise<string> {
    this.sum ??= new StreamSum(command.name);
    const { sum } = this;
    const text = this.session.stream(command, lines);
    if (typeof text === 'string') {
      sum.add(lines.length, text.length);
      return text;
    }
    return text.then(
      (text) => {
        sum.add(lines.length, text.length);
        return text;
      },
      (error) => {
        sum.fail(error instanceof StreamFailure ? error.cause : error);
        throw error;
      },
    );
  }

  scanner(command: Command): LineScanner | null {
    this.sum ??= new StreamSum(command.name);
    const { sum } = this;
    const inner = this.session.scanner?.(command) ?? null;
    if (!inner) return null;
    return {
      scan(input, from, to, output, most) {
        const scanned = inner.scan(input, from, to, output, most);
        if (scanned.lines > 0) sum.add(scanned.lines, scanned.written);
        return scanned;
      },
    };
  }

  streamEnded(): void {
    this.session.streamEnded?.();
    this.endStream('ok');
  }

  close(): void {
    this.endStream('closed');
    // A connection in the plain form has a session of each service, most of them for nothing.
    if (this.requests > 0) {
      const { requests, lines, bytes } = this;
      this.write({ kind: 'connection', ms: performance.now() - this.since, bytes, requests, lines });
    }
    this.session.close();
  }

  private endStream(result: string): void {
    const { sum } = this;
    if (!sum) return;
    this.sum = null;
    this.requests++;
    this.lines += sum.lines;
    this.bytes += sum.bytes;
    this.write(sum.entry(result));
  }

  private answered(command: Command, outcomes: readonly Outcome[], started: number): readonly Outcome[] {
    // Nearly always: the one answer is there.
    if (!outcomes.some((outcome) => outcome instanceof StreamedReply)) {
      for (const outcome of outcomes) this.request(command.name, outcome, started);
      return outcomes;
    }
    return outcomes.map((outcome) => {
      if (outcome instanceof StreamedReply) return this.whole(command.name, outcome, started);
      this.request(command.name, outcome, started);
      return outcome;
    });
  }

  /** A long answer has its line when its last piece is fetched, or nobody wants more of it. */
  private whole(command: string, reply: StreamedReply, started: number): StreamedReply {
    const done = (bytes: number, result: string) => this.note(command, result, started, bytes);
    return new StreamedReply(countPieces(reply.pieces, done));
  }

  private request(command: string | null, outcome: Outcome, started: number): void {
    this.note(command, resultOf(outcome), started, bytesOf(outcome));
  }

  private note(command: string | null, result: string, started: number, bytes: number): void {
    this.requests++;
    this.bytes += bytes;
    this.write({ kind: 'request', command, result, ms: performance.now() - started, bytes });
  }
}

/** The length of an answer, without what frames it; of a very long one at least so much. */
function bytesOf(outcome: Outcome): number {
  if (outcome instanceof EncodedReply) return outcome.text.length;
  if (outcome instanceof Error) return invokeError(outcome).length;
  if (outcome instanceof StreamedReply) return 0;
  return isLong(outcome) ? lengthOf(outcome) : encodeJson(outcome).length;
}
