import { unknownCommand } from '../faults.ts';
import type { LimitHits, Limits } from '../limits.ts';
import type { Command, Outcome, Session } from '../service.ts';
import type { Holding } from '../shares/account.ts';
import { Handshake } from '../wire/handshake.ts';
import type { Sender } from '../wire/message-reader.ts';
import type { ConversationHost } from './host.ts';
import type { Inbox } from './inbox.ts';
import { type Output, slices } from './output.ts';
import { isPlain, PlainSession } from './plain.ts';
import { Replies } from './replies.ts';
import { type StreamHost, StreamMode } from './stream-mode.ts';

/**
 * The protocol on a connection: handshake, then the request loop, in message and in stream mode, or the plain form.
 * Requests are answered in order. One message request (or a run of adjacent ones of a command that batches) is in flight
 * at a time, so that a later request sees the effect of an earlier one; stream lines overlap up to the in-flight limit,
 * except for those of a command that writes.
 */
export class Conversation implements StreamHost, Sender {
  readonly limits: Limits;
  readonly hits: LimitHits;
  readonly inbox: Inbox;
  readonly replies: Replies;
  private readonly host: ConversationHost;
  private readonly output: Output;
  private readonly holding: Holding;
  private readonly handshake: Handshake;
  private greeted = false;
  private session: Session | null = null;
  private plain: PlainSession | null = null;
  private lines: StreamMode | null = null;
  /** A request is being answered; nothing else of this connection is started. */
  private busy = false;
  /** A message request is worked on, and nothing of its answer is written. */
  awaitsMessage = false;
  /** Bytes of the request, or of its answer, while it is worked on or written. */
  private busyBytes = 0;
  /** Gives up this connection's turn at a gate, if it waits at one. */
  private leaveGate: (() => void) | null = null;
  private onFetch: (() => void) | null = null;

  constructor(host: ConversationHost) {
    this.host = host;
    this.limits = host.limits;
    this.hits = host.figures.hits;
    this.inbox = host.inbox;
    this.output = host.output;
    this.holding = host.holding;
    this.replies = new Replies(host.carrier.chunked, (error) => this.logFailure('request failed', error));
    this.handshake = new Handshake(host.services, host.peer, host.limits);
  }

  /** The client has yet to shake hands. */
  get isHandshake(): boolean {
    return !this.session && !this.plain;
  }

  /** Nothing that was taken from the inbox waits for its answer. */
  get isIdle(): boolean {
    return !this.busy && (this.lines?.isIdle ?? true);
  }

  /** Bytes of what was taken from the inbox and is not answered, and of an answer while it is written. */
  get heldBytes(): number {
    return this.busyBytes + (this.lines?.bytes ?? 0);
  }

  get told(): boolean {
    return this.replies.told;
  }

  /** How long an incomplete message may be; for a client that is not known yet, no longer than necessary. */
  get maxPartialBytes(): number {
    const { maxLineBytes } = this.limits;
    if (this.isHandshake) return maxLineBytes;
    return this.awaitsLogin ? Math.max(maxLineBytes, this.maxMessageBytes) : this.maxMessageBytes;
  }

  /** How long a complete message may be. */
  get maxMessageBytes(): number {
    const { maxMessageBytes, maxMessageBeforeLoginBytes } = this.limits;
    return this.awaitsLogin ? Math.min(maxMessageBytes, maxMessageBeforeLoginBytes) : maxMessageBytes;
  }

  /** A command that is not known, or not open to this client whatever the argument. */
  refusalByName(name: string): Error | null {
    const command = this.session!.command(name);
    if (!command) return unknownCommand(name);
    const refusal = this.session!.refuses(command);
    return refusal instanceof Promise ? null : refusal;
  }

  /** Takes one step; false when there is nothing to do until something happens. */
  step(): boolean {
    if (this.isHandshake) return !this.host.over && this.readHandshake();
    if (this.host.over || this.busy || this.output.choked) return false;
    if (this.plain) return this.readPlain();
    return this.lines ? this.lines.step() : this.readMessages();
  }

  /** There may now be room for the answer that waits. */
  onRoom(): void {
    const goOn = this.onFetch;
    if (!goOn || !this.holding.fetching) return;
    this.onFetch = null;
    goOn();
  }

  pump(): void {
    this.host.pump();
  }

  fail(error: Error, what?: string): void {
    this.host.fail(error, what);
  }

  write(text: string): void {
    if (text !== '' && !this.host.over) this.output.write(text);
  }

  logFailure(what: string, error: Error): void {
    this.host.figures.note(error);
    this.host.log.error(what, { peer: this.host.peer.name, error });
  }

  /** The connection is gone. */
  close(): void {
    this.leaveGate?.();
    this.session?.close();
    this.plain?.close();
  }

  private get awaitsLogin(): boolean {
    return (this.session ?? this.plain)!.awaitsLogin;
  }

  private readHandshake(): boolean {
    const line = this.inbox.takeLine();
    if (line === null) return false;
    if (!this.greeted && isPlain(line)) return this.enterPlain(line);
    this.greeted = true;
    const opened = this.handshake.push(line);
    if (opened === null) return true;
    if (opened === 'refused') {
      // The contract: a connection with an unknown protocol is closed without an answer.
      this.host.figures.rejected.protocol++;
      this.host.log.debug('protocol refused', { peer: this.host.peer.name, line: line.slice(0, 128) });
      this.host.close();
      return false;
    }
    this.session = opened.session;
    this.replies.told = opened.told;
    if (opened.needsHeaders) this.write('\n');
    this.host.onReady();
    return true;
  }

  private enterPlain(line: string): boolean {
    const { services, limits, peer } = this.host;
    this.plain = new PlainSession(services.values(), peer, limits, {
      onFailure: (error) => this.logFailure('request failed', error),
      figures: this.host.figures,
      untilRoom: () => this.untilRoom(),
    });
    this.host.onReady();
    return this.answerPlain(line);
  }

  private readPlain(): boolean {
    const line = this.inbox.takeLine();
    if (line === null) return false;
    return line === '' || this.answerPlain(line);
  }

  private answerPlain(line: string): boolean {
    this.busyBytes = line.length;
    this.settle(this.plain!.answer(line), ({ written, bytes }) => this.send(written, bytes));
    return true;
  }

  /** Resolves when there is room for an answer of any length. */
  private untilRoom(): Promise<void> | null {
    if (this.holding.mayFetch) return null;
    return new Promise((resolve) => {
      this.onFetch = resolve;
    });
  }

  private readMessages(): boolean {
    const { inbox } = this;
    const session = this.session!;
    const held = inbox.heldBytes;
    const call = inbox.takeCall(this);
    if (!call) return false;
    const command = call.name === null ? null : session.command(call.name);
    if (call.name === null || !command) {
      const refusal = call.name === null ? call.refusal : unknownCommand(call.name);
      session.count?.(call.name === null ? session.command(call.asked) : null, refusal);
      this.answer([refusal]);
      return true;
    }
    if (command.stream) return this.enterStream(command);
    if (this.mustWait(command) || (command.isLong?.(call.argument) && !this.holding.mayFetch)) {
      inbox.putBack(call);
      return false;
    }
    const args = [call.argument];
    if (command.batches) inbox.takeRun(this, call.name, args);
    if (args.length >= this.limits.maxInFlight) this.hits.maxInFlight++;
    this.busyBytes = Math.max(0, held - inbox.heldBytes);
    const outcomes = session.invoke(command, args);
    this.awaitsMessage = outcomes instanceof Promise;
    this.settle(outcomes, (outcomes) => this.answer(outcomes));
    return true;
  }

  /** Whether the command must wait because too much is being written. Until then nothing of this connection goes on. */
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
    this.settle(this.session!.refuses(command), (refusal) => {
      this.session!.count?.(command, refusal);
      if (refusal) return this.answer([refusal]);
      this.lines = new StreamMode(command, this.session!, this, () => {
        this.lines = null;
        this.session!.streamEnded?.();
      });
      this.write('"ok"\n');
    });
    return true;
  }

  /** Waits for a value, with nothing else of this connection in flight, then goes on. */
  private settle<T>(value: T | Promise<T>, use: (value: T) => void): void {
    const settled = (settled: T) => {
      this.busy = false;
      this.busyBytes = 0;
      use(settled);
      this.holding.fetched();
    };
    if (!(value instanceof Promise)) return settled(value);
    this.busy = true;
    value.then(
      (value) => {
        if (this.host.over) return;
        this.output.gather();
        try {
          settled(value);
        } catch (error) {
          // Thrown from here it would end the process.
          this.fail(error as Error);
        }
        this.output.flush();
        this.pump();
      },
      (error) => this.fail(error),
    );
  }

  private answer(outcomes: readonly Outcome[]): void {
    this.awaitsMessage = false;
    const { written, bytes, fault } = this.replies.frame(outcomes);
    this.send(written, bytes);
    if (fault) this.fail(fault, 'request failed: closed');
  }

  private send(written: string | AsyncIterable<string>, bytes: number): void {
    if (typeof written !== 'string') this.answerInPieces(written, bytes);
    else if (written.length <= this.limits.outputPauseBytes) this.write(written);
    else this.answerInPieces(slices(written), written.length);
  }

  private answerInPieces(pieces: AsyncIterable<string> | Iterable<string>, bytes: number): void {
    this.busy = true;
    this.busyBytes = bytes;
    this.output.flush();
    this.output.writeAll(pieces).then(
      () => {
        this.busy = false;
        this.busyBytes = 0;
        this.pump();
      },
      (error) => {
        // Half an answer is sent: an error message would be taken for a part of it. Earlier answers are still sent whole.
        this.logFailure('a long answer broke off', error as Error);
        this.host.close();
      },
    );
  }
}
