import { Duplex } from 'node:stream';
import { Fifo } from '../asyncrpc/fifo.ts';
import type { SharedTurns } from '../asyncrpc/service.ts';

/** What is passed on at a time: no more than a few requests, each of which takes a part of a millisecond … */
const PIECE_BYTES = 128;
/** … and of a body more, because it is long. */
const BODY_PIECE_BYTES = 1024;
/** How long pieces are passed on in a row while others wait. */
const SLICE_MS = 1;

export interface HttpStreamHooks {
  readonly turns: SharedTurns;
  /** Whether more may be passed on now; `goOn` is called when that may have changed. */
  readonly mayPass: () => boolean;
  /** Whether a body is coming. */
  readonly isBody: () => boolean;
  /** Told of the bytes that are passed on. */
  readonly onPass: (bytes: number) => void;
}

/**
 * A socket as an HTTP parser gets to see it: what comes in is passed on in small pieces and in turns with all other
 * clients, and not at all while a request waits for its answer. A packet may hold thousands of requests, which the parser
 * would otherwise work off in one go.
 */
export class HttpStream extends Duplex {
  private readonly socket: Duplex;
  private readonly hooks: HttpStreamHooks;
  private readonly packets = new Fifo<Buffer>();
  private packet: Buffer | null = null;
  /** Bytes that have come and are not passed on. */
  waitingBytes = 0;
  private wanted = true;
  private queued = false;
  private passing = false;
  private inputEnded = false;
  private released = false;

  constructor(socket: Duplex, hooks: HttpStreamHooks) {
    super({ readableHighWaterMark: BODY_PIECE_BYTES, decodeStrings: false, allowHalfOpen: true });
    this.socket = socket;
    this.hooks = hooks;
    socket.on('data', this.receive).on('end', this.ends).on('close', this.gone);
  }

  private readonly receive = (packet: Buffer) => {
    // It is said what was wrong, or that there is nothing more to say: the rest is dropped, so that no reset destroys it.
    if (this.writableEnded) return;
    this.waitingBytes += packet.length;
    if (this.packet) this.packets.push(packet);
    else this.packet = packet;
    this.pass();
  };

  private readonly ends = () => {
    this.inputEnded = true;
    this.pass();
  };

  private readonly gone = () => void this.destroy();

  /** What keeps pieces from being passed on may be over. */
  goOn(): void {
    if (this.packet) this.queue();
    else this.pass();
  }

  /**
   * Gives the socket back.
   * @param head what the parser has left over
   * @returns what has come and was not read, beginning with that
   */
  release(head: Buffer): Buffer {
    this.released = true;
    const { socket } = this;
    socket.removeListener('data', this.receive).removeListener('end', this.ends).removeListener('close', this.gone);
    const unread = [head];
    for (let piece = this.read(); piece; piece = this.read()) unread.push(piece);
    for (let next = this.packet; next; next = this.packets.take() ?? null) unread.push(next);
    this.packet = null;
    // Nothing is read before whoever takes it has its listeners.
    socket.resume();
    this.destroy();
    return Buffer.concat(unread);
  }

  override _read(): void {
    this.wanted = true;
    // Never at once: a piece passed on in here is worked off outside of any turn.
    if (this.packet && !this.passing) this.queue();
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void {
    // Errors are not reported here: the socket closes, and 'close' follows.
    this.socket.write(chunk, encoding, () => done());
  }

  override _writev(chunks: { chunk: string | Buffer; encoding: BufferEncoding }[], done: () => void): void {
    const { socket } = this;
    socket.cork();
    for (const [i, { chunk, encoding }] of chunks.entries())
      socket.write(chunk, encoding, i === chunks.length - 1 ? () => done() : undefined);
    socket.uncork();
  }

  override _final(done: () => void): void {
    this.forget();
    // Nobody waits for one that does not take the rest for longer than the time for output.
    this.socket.end(() => done());
    this.socket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.forget();
    if (!this.released) this.socket.destroy();
    done(error);
  }

  work(): void {
    this.queued = false;
    this.pass();
  }

  private queue(): void {
    if (this.queued || this.destroyed) return;
    this.queued = true;
    this.hooks.turns.queue(this, true);
  }

  private forget(): void {
    this.packets.clear();
    this.packet = null;
    this.waitingBytes = 0;
  }

  /** Passes on what may be, for a slice of time. */
  private pass(): void {
    if (this.passing || this.queued || this.destroyed) return;
    const { turns, mayPass } = this.hooks;
    if (this.packet && turns.isOver) this.queue();
    else {
      const began = performance.now();
      this.passing = true;
      while (this.packet && this.wanted && mayPass()) {
        this.passPiece();
        if (performance.now() - began < SLICE_MS) continue;
        if (this.packet) this.queue();
        break;
      }
      this.passing = false;
      turns.spend(began);
    }
    if (this.destroyed) return;
    if (this.packet) this.socket.pause();
    else if (this.inputEnded) {
      // Not before the answer: the parser takes it for a client that is gone.
      if (mayPass()) this.push(null);
    } else this.socket.resume();
  }

  private passPiece(): void {
    const packet = this.packet!;
    const piece = packet.subarray(0, this.hooks.isBody() ? BODY_PIECE_BYTES : PIECE_BYTES);
    this.packet = packet.length > piece.length ? packet.subarray(piece.length) : (this.packets.take() ?? null);
    this.waitingBytes -= piece.length;
    this.hooks.onPass(piece.length);
    this.wanted = this.push(piece);
  }
}
