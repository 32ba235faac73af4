import type { Duplex } from 'node:stream';
import { InvokeError, ProtocolError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { invokeError, isFault } from './faults.ts';
import { acceptProtocol, HeaderReader } from './handshake.ts';
import { Inbox } from './inbox.ts';
import type { Limits } from './limits.ts';
import { LoopError } from './loop-guard.ts';
import { encodeJson, encodePieces, frameMessage, frameStreamed, isLong } from './messages.ts';
import { Output, slices } from './output.ts';
import { isPlain, PlainSession } from './plain.ts';
import {
  type Carrier,
  type Command,
  EncodedReply,
  type Outcome,
  type Peer,
  type Service,
  type Session,
  StreamedReply,
} from './service.ts';
import { type StreamHost, StreamMode } from './stream-mode.ts';

/** What a connection needs from the server around it. */
export interface ConnectionContext {
  readonly services: ReadonlyMap<string, Service>;
  readonly limits: Limits;
  readonly log: Logger;
  readonly carrier: Carrier;
  /** Called once, when the handshake is over. */
  readonly onReady: () => void;
  /** Called once, when the connection is gone. */
  readonly onClose: () => void;
  /** Adds to the bytes of unfinished input of all connections; false once they are over their limit. */
  readonly addPartial: (bytes: number) => boolean;
}

type State = 'protocol' | 'plain' | 'headers' | 'messages' | 'closing' | 'closed';

/** How long a closing connection's remaining input is read away, so that the last answer is not lost to a reset. */
const LINGER_MS = 1000;

/**
 * One client on any byte stream: handshake, headers, then the request loop, in message and in stream mode.
 * Requests are answered in order. One message request (or a run of neighbours of a command that batches) is in flight
 * at a time, so that a later request sees the effect of an earlier one; stream lines overlap up to the in-flight limit,
 * but for those of a command that writes.
 */
export class Connection implements StreamHost {
  readonly peer: Peer;
  readonly openedAt = performance.now();
  private readonly stream: Duplex;
  private readonly context: ConnectionContext;
  readonly limits: Limits;
  readonly inbox: Inbox;
  /** The client is told of our own faults; otherwise they close its connection. */
  told = true;
  private readonly output: Output;
  private state: State = 'protocol';
  private headers: HeaderReader | null = null;
  private service: Service | null = null;
  private session: Session | null = null;
  private plain: PlainSession | null = null;
  private lines: StreamMode | null = null;
  /** A request is being answered; nothing else of this connection is begun. */
  private busy = false;
  /** Gives up this connection's turn at the gate it waits at, if it does. */
  private leaveGate: (() => void) | null = null;
  private pumping = false;
  private paused = false;
  private draining = false;
  private inputEnded = false;
  private closingSince = 0;

  constructor(stream: Duplex, peer: Peer, context: ConnectionContext) {
    const { limits, carrier, log } = context;
    this.stream = stream;
    this.peer = peer;
    this.context = context;
    this.limits = limits;
    this.inbox = new Inbox(limits, carrier, context.addPartial);
    this.output = new Output(
      stream,
      limits,
      () => this.pump(),
      (unsent) => this.giveUp(unsent),
    );
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('end', () => this.endOfInput());
    // A reset is an ordinary way for a client to leave: 'close' follows and does the work.
    stream.on('error', (error) => log.debug('connection lost', { peer: peer.name, reason: error.message }));
    stream.on('close', () => this.closed());
  }

  private get over(): boolean {
    return this.state === 'closing' || this.state === 'closed';
  }

  private get handshaking(): boolean {
    return this.state === 'protocol' || this.state === 'headers';
  }

  /** Reads no more, answers what was read, then closes; at once when idle. */
  drain(): void {
    if (this.draining || this.over) return;
    this.draining = true;
    this.pause(true);
    this.pump();
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** Holds the connection to its time limits; called a few times a second with `performance.now()`. */
  checkTime(now: number): void {
    const { limits, carrier } = this.context;
    if (this.state === 'closed') return;
    if (this.state === 'closing') {
      if (now - this.closingSince > limits.outputTimeoutMs) this.destroy();
      return;
    }
    // What the carrier holds grows unseen.
    if (!carrier.chunked) this.accountPartial();
    if (this.handshaking && now - this.openedAt > limits.handshakeTimeoutMs) {
      return this.fail(new ProtocolError(`no complete handshake within ${limits.handshakeTimeoutMs / 1000} s`));
    }
    const late = this.paused ? null : this.inbox.checkTime(now);
    if (late) return this.fail(late);
    this.output.checkTime(now);
  }

  private receive(chunk: Buffer): void {
    if (this.over || this.inbox.failure) return;
    this.inbox.push(chunk);
    this.pump();
    this.accountPartial();
  }

  private accountPartial(): void {
    const tooMuch = this.inbox.account();
    if (tooMuch) this.fail(tooMuch);
  }

  private endOfInput(): void {
    this.inputEnded = true;
    this.pump();
  }

  /** Does all that can be done now. */
  pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.step());
      this.finishIfDone();
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.pumping = false;
    }
    this.pause(this.draining || this.output.choked || this.inbox.bytes > this.context.limits.maxInFlightBytes);
  }

  /** Takes one step; false when there is nothing to do until something happens. */
  private step(): boolean {
    if (this.state === 'protocol') return this.readProtocol();
    if (this.state === 'headers') return this.readHeader();
    if (this.over || this.busy || this.output.choked) return false;
    if (this.state === 'plain') return this.readPlain();
    return this.lines ? this.lines.step() : this.readMessages();
  }

  private finishIfDone(): void {
    if (this.over || this.busy || this.output.choked) return;
    if ((this.lines && !this.lines.isIdle) || !this.inbox.isEmpty) return;
    if (this.inbox.failure) this.fail(this.inbox.failure);
    else if (this.inputEnded || this.draining) this.close();
  }

  private pause(wanted: boolean): void {
    if (wanted === this.paused || this.over) return;
    this.paused = wanted;
    if (wanted) {
      this.stream.pause();
      return;
    }
    this.inbox.resume();
    this.stream.resume();
  }

  private readProtocol(): boolean {
    const line = this.inbox.takeLine();
    if (line === null) return false;
    if (isPlain(line)) return this.enterPlain(line);
    this.service = acceptProtocol(line, this.context.services);
    if (!this.service) {
      // The contract: a protocol that is not spoken here is closed without a word.
      this.context.log.debug('protocol refused', { peer: this.peer.name, line: line.slice(0, 128) });
      this.close();
      return false;
    }
    this.told = !this.service.closesOnFault;
    this.headers = new HeaderReader(this.context.limits);
    this.state = 'headers';
    return true;
  }

  private enterPlain(line: string): boolean {
    const { services, limits, onReady } = this.context;
    this.plain = new PlainSession(services.values(), this.peer, limits, (error) =>
      this.logFailure('request failed', error),
    );
    this.state = 'plain';
    onReady();
    return this.answerPlain(line);
  }

  private readPlain(): boolean {
    const line = this.inbox.takeLine();
    if (line === null) return false;
    return line === '' || this.answerPlain(line);
  }

  private answerPlain(line: string): boolean {
    this.settle(this.plain!.answer(line), (answer) => {
      if (typeof answer === 'string') this.send(answer);
      else this.answerInPieces(answer);
    });
    return true;
  }

  private readHeader(): boolean {
    const line = this.inbox.takeLine();
    if (line === null) return false;
    if (!this.headers!.push(line)) return true;
    this.session = this.service!.open(this.peer, this.headers!.via);
    this.told ||= this.headers!.tellErrors;
    if (this.headers!.needsHeaders) this.write('\n');
    this.headers = null;
    this.state = 'messages';
    this.context.onReady();
    return true;
  }

  private readMessages(): boolean {
    const call = this.inbox.takeCall(this.session!);
    if (!call) return false;
    if (!call.command) {
      this.answer([call.refusal]);
      return true;
    }
    if (call.command.stream) return this.enterStream(call.command);
    if (this.mustWait(call.command)) {
      this.inbox.putBack(call);
      return false;
    }
    const args = [call.arg];
    if (call.command.batches) this.inbox.takeRun(this.session!, call.command, args);
    this.settle(this.session!.invoke(call.command, args), (outcomes) => this.answer(outcomes));
    return true;
  }

  /** Whether too much is being written for the command to be handed over. Nothing of this connection goes on until it can. */
  mustWait({ gate }: Command): boolean {
    if (!gate || gate.isOpen) return false;
    this.busy = true;
    this.leaveGate = gate.wait(() => {
      this.busy = false;
      this.pump();
    });
    return true;
  }

  private enterStream(command: Command): boolean {
    this.settle(this.session!.enterStream(command), (refusal) => {
      if (refusal) return this.answer([refusal]);
      this.lines = new StreamMode(command, this.session!, this, () => {
        this.lines = null;
      });
      this.write('"ok"\n');
    });
    return true;
  }

  /** Waits for a value with nothing else of this connection in flight, then goes on. */
  private settle<T>(value: T | Promise<T>, use: (value: T) => void): void {
    if (!(value instanceof Promise)) return use(value);
    this.busy = true;
    value.then(
      (settled) => {
        this.busy = false;
        if (this.state === 'closed') return;
        try {
          use(settled);
        } catch (error) {
          // Thrown from here it would end the process.
          return this.fail(error as Error);
        }
        this.pump();
      },
      (error) => this.fail(error),
    );
  }

  private answer(outcomes: readonly Outcome[]): void {
    let text = '';
    for (const [i, outcome] of outcomes.entries()) {
      if (this.hides(outcome)) {
        this.write(text);
        return this.fail(outcome, 'request failed: closed');
      }
      const encoded = this.encode(outcome);
      if (typeof encoded !== 'string') return this.answerInPieces(this.pieces(text, outcomes.slice(i)));
      text += frameMessage(encoded, this.context.carrier.chunked);
    }
    this.send(text);
  }

  /** The same answers where one of them is too long to be encoded in one go. */
  private async *pieces(before: string, outcomes: readonly Outcome[]): AsyncGenerator<string> {
    const { chunked } = this.context.carrier;
    if (before !== '') yield before;
    for (const outcome of outcomes) {
      if (this.hides(outcome)) throw outcome;
      const encoded = this.encode(outcome);
      if (typeof encoded === 'string') yield frameMessage(encoded, chunked);
      else yield* frameStreamed(encoded, chunked);
    }
  }

  private send(text: string): void {
    if (text.length <= this.context.limits.outputPauseBytes) this.write(text);
    else this.answerInPieces(slices(text));
  }

  /** As JSON: the text, or its pieces where it is long. */
  private encode(outcome: Outcome): string | AsyncIterable<string> | Iterable<string> {
    if (outcome instanceof EncodedReply) return outcome.text;
    if (outcome instanceof StreamedReply) return outcome.pieces;
    if (!(outcome instanceof Error)) return isLong(outcome) ? encodePieces(outcome) : encodeJson(outcome);
    if (!(outcome instanceof InvokeError)) this.logFailure('request failed', outcome);
    return invokeError(outcome);
  }

  private answerInPieces(pieces: AsyncIterable<string> | Iterable<string>): void {
    this.busy = true;
    this.output.writeAll(pieces).then(
      () => {
        this.busy = false;
        this.pump();
      },
      (error) => {
        // Half an answer is out: an error message would be taken for a part of it. Those before it still go out whole.
        this.logFailure('a long answer broke off', error as Error);
        this.close();
      },
    );
  }

  write(text: string): void {
    if (text !== '' && !this.over) this.output.write(text);
  }

  private giveUp(unsent: number): void {
    this.context.log.warn('client does not read its answers: closed', { peer: this.peer.name, unsent });
    this.destroy();
  }

  /** Whether an outcome is a fault of which this client is not told. */
  private hides(outcome: unknown): outcome is Error {
    return !this.told && outcome instanceof Error && isFault(outcome);
  }

  /** Tells the client what was wrong, unless that is a fault of which it did not ask to be told, and closes. */
  fail(error: Error, what = 'connection failed'): void {
    if (this.over) return;
    if (error instanceof LoopError) this.context.log.debug('loop refused', { peer: this.peer.name });
    else if (error instanceof ProtocolError) {
      this.context.log.warn('bad input: closed', { peer: this.peer.name, reason: error.message.slice(0, 200) });
    } else if (isFault(error)) this.logFailure(what, error);
    if (!this.hides(error)) this.write(`${invokeError(error)}\n`);
    this.close();
  }

  logFailure(what: string, error: Error): void {
    this.context.log.error(what, { peer: this.peer.name, error });
  }

  /** Sends what is written, then closes. Input that still comes is read away for a moment, so that no reset eats the answer. */
  private close(): void {
    if (this.over) return;
    this.state = 'closing';
    this.closingSince = performance.now();
    this.inbox.drop();
    this.stream.end();
    this.stream.resume();
    if (this.inputEnded) return;
    this.stream.once('finish', () => {
      if (this.draining) return void this.destroy();
      setTimeout(() => this.destroy(), LINGER_MS).unref();
    });
  }

  private closed(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.inbox.close();
    this.leaveGate?.();
    this.session?.close();
    this.plain?.close();
    this.context.onClose();
  }
}
