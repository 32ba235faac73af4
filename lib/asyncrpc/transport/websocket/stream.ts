import { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { WebSocket } from 'ws';
import { Fifo } from '../../fifo.ts';
import type { SharedTurns } from '../../service.ts';

/** A longer line is sent in fragments of one message, so that no answer is ever held whole. */
const FRAGMENT_LENGTH = 64 * 1024;
/** How long a peer whose frames are refused may take to answer the close frame before its socket is destroyed. */
const REFUSED_LINGER_MS = 1000;

const NEWLINE = Buffer.from('\n');

export interface WebSocketStreamHooks {
  /** Packets of clients are read in turns: one may hold thousands of messages. Without it each is read as it comes. */
  readonly turns?: SharedTurns;
  /** The stream was destroyed. */
  readonly onDestroy?: () => void;
  /** The close code (RFC 6455 section 7.4.1) when this side closes. */
  readonly closeCode?: () => number;
}

/**
 * A WebSocket as a stream of lines: a text frame in is a line with its newline, a line out is a text frame without it
 * (docs/protocol.md). A write is complete when the kernel has taken its frames, and the socket is
 * not read while nobody reads here: back-pressure works in both directions. Emits `held` when it holds more of an
 * unfinished message.
 */
export class WebSocketStream extends Duplex {
  /** Bytes of an unfinished message that the WebSocket holds, without those that came in one packet with an earlier message. */
  heldBytes = 0;
  private readonly ws: WebSocket;
  private readonly socket: Duplex;
  private incoming: Buffer[] = [];
  /** Packets that have come when the turn was over. */
  private readonly packets = new Fifo<Buffer>();
  private readonly readPacket: (packet: Buffer) => void;
  private messagesInPacket = 0;
  private rest = '';
  private readonly decoder = new StringDecoder('utf8');
  private refused: Error | null = null;
  private readonly hooks: WebSocketStreamHooks;

  /**
   * @param ws open
   * @param socket the one under it
   */
  constructor(ws: WebSocket, socket: Duplex, hooks: WebSocketStreamHooks = {}) {
    super({ decodeStrings: false, allowHalfOpen: true });
    this.ws = ws;
    this.socket = socket;
    this.hooks = hooks;
    ws.on('message', (data, isBinary) => this.receive(data as Buffer, isBinary));
    for (const event of ['ping', 'pong'] as const) ws.on(event, (data) => this.discount(data.length));
    // ws has already sent the close frame with the right code.
    ws.on('error', (error) => this.refuse(error));
    ws.on('close', (code) => this.webSocketClosed(code));
    const listeners = socket.listeners('data') as ((packet: Buffer) => void)[];
    socket.removeAllListeners('data');
    this.readPacket = (packet) => {
      // ws emits the messages that the packet completes before it returns.
      for (const listener of listeners) listener.call(socket, packet);
      this.countHeld(packet);
    };
    socket.on('data', (packet: Buffer) => this.readInTurn(packet));
    // Before ws's own listeners: after them it reads no more.
    for (const event of ['end', 'close']) socket.prependListener(event, () => this.readAll());
  }

  override _read(): void {
    if (this.ws.isPaused) this.ws.resume();
  }

  /** Also in the middle of a message of which nothing has been emitted yet. */
  override pause(): this {
    super.pause();
    this.ws.pause();
    return this;
  }

  override resume(): this {
    super.resume();
    if (this.ws.isPaused && this.readableLength < this.readableHighWaterMark) this.ws.resume();
    return this;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.sendLines(typeof chunk === 'string' ? chunk : this.decoder.write(chunk), done);
  }

  override _writev(chunks: { chunk: string | Buffer }[], done: () => void): void {
    const text = chunks.map(({ chunk }) => (typeof chunk === 'string' ? chunk : this.decoder.write(chunk))).join('');
    this.sendLines(text, done);
  }

  override _final(done: () => void): void {
    this.ws.close(this.hooks.closeCode?.() ?? 1000);
    if (!this.socket.writable) return done();
    // A write's callback comes after everything before it: by then the close frame has been sent.
    this.socket.write('', () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { ws, socket } = this;
    this.packets.clear();
    // A close frame is a courtesy: sent only if it can leave at once, as a stuck peer must not keep the socket alive.
    if (ws.readyState === ws.OPEN && socket.writableLength === 0) ws.close(this.hooks.closeCode?.() ?? 1000);
    ws.terminate();
    this.hooks.onDestroy?.();
    done(error);
  }

  private sendLines(text: string, done: () => void): void {
    const { ws, socket } = this;
    if (ws.readyState !== ws.OPEN) return done();
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    const long = this.rest.length >= FRAGMENT_LENGTH;
    let left = lines.length + (long ? 1 : 0);
    if (left === 0) return done();
    // Errors are not reported here: the socket closes, and 'close' follows.
    const sent = () => {
      if (--left === 0) done();
    };
    socket.cork();
    for (const line of lines) ws.send(line, { binary: false }, sent);
    if (long) {
      ws.send(this.rest, { binary: false, fin: false }, sent);
      this.rest = '';
    }
    socket.uncork();
  }

  private receive(data: Buffer, isBinary: boolean): void {
    this.messagesInPacket++;
    if (this.refused) return;
    if (isBinary) {
      this.ws.close(1003, 'text frames only');
      return this.refuse(new Error('a binary frame'));
    }
    // Frames that came together are passed on together: a stream of look-ups is thousands of small ones.
    if (this.incoming.length === 0) queueMicrotask(() => this.deliver());
    this.incoming.push(oneLine(data), NEWLINE);
  }

  /** A packet of the client: read at once, or in a turn, until which no more is taken. */
  private readInTurn(packet: Buffer): void {
    const { turns } = this.hooks;
    if (turns && (turns.isOver || !this.packets.isEmpty)) {
      if (this.packets.isEmpty) turns.queue(this, true);
      this.packets.push(packet);
      this.socket.pause();
      return;
    }
    const began = performance.now();
    this.readPacket(packet);
    turns?.spend(began);
  }

  /** Its turn has come. */
  work(): void {
    const packet = this.packets.take();
    if (!packet) return;
    const began = performance.now();
    this.readPacket(packet);
    this.hooks.turns!.spend(began);
    if (!this.packets.isEmpty) this.hooks.turns!.queue(this, true);
    else if (!this.ws.isPaused) this.socket.resume();
  }

  private readAll(): void {
    for (let packet = this.packets.take(); packet; packet = this.packets.take()) this.readPacket(packet);
  }

  private deliver(): void {
    if (this.incoming.length === 0) return;
    const lines = Buffer.concat(this.incoming);
    this.incoming = [];
    if (!this.readableEnded && !this.destroyed && !this.push(lines)) this.ws.pause();
  }

  private countHeld(packet: Buffer): void {
    this.heldBytes = this.messagesInPacket > 0 ? 0 : Math.max(0, this.heldBytes + packet.length);
    this.messagesInPacket = 0;
    // What is still to be delivered comes first, and counts it.
    if (this.heldBytes > 0 && this.incoming.length === 0) this.emit('held');
  }

  /** A control frame is not part of a message: its payload, header and mask are subtracted before the packet is counted. */
  private discount(payload: number): void {
    this.heldBytes -= payload + 6;
  }

  private refuse(reason: Error): void {
    this.refused ??= reason;
    this.incoming = [];
    setTimeout(() => this.destroy(this.refused!), REFUSED_LINGER_MS).unref();
  }

  private webSocketClosed(code: number): void {
    this.deliver();
    if (this.refused) return void this.destroy(this.refused);
    // 1006: the connection broke. Otherwise what was sent before the close frame is still carried out.
    if (code === 1006) return void this.destroy();
    this.push(null);
  }
}

/** A frame is a line. A newline in it can only be white space in JSON (or the end of the line): a blank means the same. */
function oneLine(frame: Buffer): Buffer {
  for (let at = frame.indexOf(0x0a); at >= 0; at = frame.indexOf(0x0a, at + 1)) frame[at] = 0x20;
  return frame;
}
