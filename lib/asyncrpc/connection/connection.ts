import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { ProtocolError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { invokeError, logFailure } from '../faults.ts';
import { Fifo } from '../fifo.ts';
import type { HubFigures, ListenerFigures } from '../hub-figures.ts';
import { LimitError, type Limits, tooLong } from '../limits.ts';
import type { Carrier, Peer, Service } from '../service.ts';
import type { Holding } from '../shares/account.ts';
import type { Holder } from '../shares/holder.ts';
import type { Worker } from '../shares/turns.ts';
import { onChunk } from './chunks.ts';
import type { ConnectionContext } from './context.ts';
import { Conversation } from './conversation.ts';
import type { ConversationHost } from './host.ts';
import { Inbox } from './inbox.ts';
import { Output, type OutputOwner } from './output.ts';

/** Steps between two looks at the clock, which costs as much as a cheap step. */
const STEPS_A_LOOK = 8;
/** How long the remaining input of a closing connection is read and dropped, so that a reset does not destroy the last answer. */
const LINGER_MS = 1000;

/** One client on any byte stream: what it sends is counted, read and answered in turns with others, within its limits. What the bytes mean is the conversation's part. */
export class Connection implements ConversationHost, OutputOwner, Holder, Worker {
  readonly peer: Peer;
  readonly address: string | null;
  private readonly since: number;
  private readonly stream: Duplex;
  private readonly context: ConnectionContext;
  readonly figures: HubFigures;
  private readonly listener: ListenerFigures;
  readonly limits: Limits;
  readonly log: Logger;
  readonly carrier: Carrier;
  readonly services: ReadonlyMap<string, Service>;
  readonly inbox: Inbox;
  readonly holding: Holding;
  readonly output: Output;
  private readonly conversation: Conversation;
  /** What has come and is not cut into lines: it is in the connection's turn. */
  private readonly uncut = new Fifo<Buffer>();
  private uncutBytes = 0;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private pumping = false;
  /** It has asked for a turn. */
  private queued = false;
  private paused = false;
  private draining = false;
  private inputEnded = false;
  private closingSince = 0;
  /** What is unfinished is too long so far, but what came before it may yet end the handshake, or log in: it is not read on. */
  private isAhead = false;

  /**
   * @param address as limits count it
   * @param since when the client connected, by `performance.now()`
   */
  constructor(stream: Duplex, peer: Peer, address: string | null, since: number, context: ConnectionContext) {
    const { limits, carrier, log, account, turns, services, figures } = context;
    this.figures = figures;
    this.listener = peer.listener ?? figures.others;
    this.log = log;
    this.carrier = carrier;
    this.services = services;
    this.stream = stream;
    this.peer = peer;
    this.address = address;
    this.since = since;
    this.context = context;
    this.limits = limits;
    this.inbox = new Inbox(limits, carrier, context.desk);
    this.holding = account.open(this);
    this.output = new Output(stream, limits, turns, this, this.listener);
    this.conversation = new Conversation(this);
    onChunk(stream, (chunk) => this.receive(chunk));
    // The carrier may hold more before there is data.
    stream.on('held', () => this.paused || this.over || this.pauseOrResume());
    stream.on('end', () => {
      this.inputEnded = true;
      this.pump();
    });
    // A reset is an ordinary way for a client to leave: 'close' follows and does the work.
    stream.on('error', (error) => {
      figures.noteLost(error);
      log.debug('connection lost', { peer: peer.name, reason: error.message });
    });
    stream.on('close', () => this.closed());
  }

  get over(): boolean {
    return this.state !== 'open';
  }

  /** Stops reading, answers what was read, then closes; at once if idle. */
  drain(): void {
    if (this.draining || this.over) return;
    this.draining = true;
    this.pump();
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** Enforces the time limits; called a few times a second with `performance.now()`. */
  checkTime(now: number): void {
    const { limits } = this;
    if (this.state === 'closed') return;
    if (this.state === 'closing') {
      if (now - this.closingSince > limits.outputTimeoutMs) this.destroy();
      return;
    }
    if (this.conversation.isHandshake && now - this.since > limits.handshakeTimeoutMs) {
      const within = `${limits.handshakeTimeoutMs / 1000} s`;
      return this.fail(new LimitError('handshakeTimeoutMs', `no complete handshake within ${within}`));
    }
    const late = this.paused ? null : this.inbox.checkTime(now);
    if (late) this.refuseRest(late);
    this.output.checkTime(now);
    if (this.inputEnded && this.carrier.chunked && this.conversation.awaitsMessage) this.output.probe(now);
    this.count();
  }

  onReady(): void {
    this.context.onReady();
  }

  onRelief(): void {
    this.pump();
  }

  onChoke(limit: keyof Limits): void {
    this.figures.hits[limit]++;
  }

  onStuck(unsent: number, limit: keyof Limits): void {
    this.figures.hits[limit]++;
    this.log.warn('client does not read its answers: closed', { peer: this.peer.name, unsent });
    this.destroy();
  }

  get maySend(): boolean {
    this.count();
    return this.holding.maySend;
  }

  onRoom(): void {
    this.conversation.onRoom();
    this.pump();
  }

  giveUp(): void {
    const { peer, holding } = this;
    this.log.warn('client holds up others: what it holds is given up', { peer: peer.name, bytes: holding.held });
    if (this.output.unsentBytes > 0) this.destroy();
    else this.refuseRest(new ProtocolError('others wait for the memory that an unfinished message takes'));
  }

  work(): void {
    this.queued = false;
    this.pump();
  }

  private receive(chunk: Buffer): void {
    if (this.over || this.inbox.failure) return;
    this.listener.receivedBytes += chunk.length;
    if (this.uncutBytes === 0 && !this.pumping && !this.context.turns.isOver) return this.pump(chunk);
    this.uncut.push(chunk);
    this.uncutBytes += chunk.length;
    this.pump();
  }

  /** Takes one step; false when there is nothing to do until something happens. Cutting is one: many short lines take long. */
  private step(): boolean {
    if (this.uncutBytes === 0) return this.conversation.step();
    const chunk = this.uncut.take()!;
    this.uncutBytes -= chunk.length;
    if (!this.over && !this.inbox.failure) this.inbox.push(chunk);
    return true;
  }

  /** Does not wait for what is unfinished; what came before it is answered first. */
  private refuseRest(why: ProtocolError): void {
    this.inbox.fail(why);
    this.pump();
  }

  /** Does everything that can be done now, within this turn; at first cuts what has just come, if it may be cut at once. */
  pump(chunk: Buffer | null = null): void {
    if (this.pumping) return;
    const { turns } = this.context;
    if (turns.isOver && !this.over) this.askForTurn(false);
    else {
      this.pumping = true;
      this.output.gather();
      const began = performance.now();
      try {
        if (chunk) this.inbox.push(chunk);
        for (let steps = 1; this.step(); steps++) {
          if (steps % STEPS_A_LOOK !== 0 || !turns.isSpent(began)) continue;
          this.askForTurn(true);
          break;
        }
        if (!this.queued) this.finishIfDone();
      } catch (error) {
        this.fail(error as Error);
      } finally {
        this.output.flush();
        this.pumping = false;
        turns.spend(began);
      }
    }
    this.pauseOrResume();
  }

  private askForTurn(isBusy: boolean): void {
    if (this.queued) return;
    this.queued = true;
    this.context.turns.queue(this, isBusy);
  }

  private finishIfDone(): void {
    if (this.over || this.output.choked || !this.conversation.isIdle || !this.inbox.isEmpty) return;
    if (this.inbox.failure) this.fail(this.inbox.failure);
    else if (this.inputEnded || this.draining) this.close();
  }

  /** Counts what is held, and reads on as long as that is not too much. */
  private pauseOrResume(): void {
    if (this.over) return;
    this.count();
    const { inbox, output, limits } = this;
    const wanted =
      this.draining ||
      output.choked ||
      this.uncutBytes > 0 ||
      this.isAhead ||
      inbox.waitingBytes > limits.maxInFlightBytes ||
      !this.holding.mayRead;
    if (wanted === this.paused) return;
    this.paused = wanted;
    this.holding.isRead = !wanted;
    if (wanted) {
      if (inbox.waitingBytes > limits.maxInFlightBytes) this.figures.hits.maxInFlightBytes++;
      inbox.pause();
      this.stream.pause();
    } else {
      inbox.resume();
      this.stream.resume();
    }
  }

  private count(): void {
    const { inbox } = this;
    const partial = inbox.note();
    const isLong = partial > 0 && partial > this.conversation.maxPartialBytes;
    this.isAhead = isLong && (this.uncutBytes > 0 || !inbox.isEmpty || !this.conversation.isIdle);
    if (isLong && !this.isAhead && !inbox.failure && this.stream.readableLength === 0) {
      return this.refuseRest(tooLong(this.limits, this.conversation.maxPartialBytes));
    }
    const unsent = this.output.unsentBytes;
    this.holding.set(this.uncutBytes + inbox.heldBytes + this.conversation.heldBytes + unsent, partial, unsent);
  }

  /** Tells the client what was wrong, except a fault of which it did not ask to be told, and closes. */
  fail(error: Error, what = 'connection failed'): void {
    if (this.over) return;
    this.figures.note(error);
    logFailure(this.log, this.peer.name, error, what);
    if (!this.conversation.replies.hides(error)) this.output.write(`${invokeError(error)}\n`);
    this.close();
  }

  /** Sends what is written, then closes. Further input is read and dropped for a moment, so that a reset does not destroy the answer. */
  close(): void {
    if (this.over) return;
    this.output.flush();
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
    this.inbox.drop();
    this.holding.close();
    this.conversation.close();
    this.context.onClose();
  }
}
