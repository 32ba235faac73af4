import type { Duplex } from 'node:stream';
import type { LogFields } from '../log.ts';
import type { HubFigures, ListenerFigures } from './hub-figures.ts';
import type { Rights } from './rights.ts';
import type { Json } from './wire/messages.ts';
import type { Slate } from './wire/slate.ts';
import type { WriteGate } from './write-gate.ts';

/** A reply whose JSON text comes in pieces, so that a long one is never in memory as a whole. */
export class StreamedReply {
  readonly pieces: AsyncIterable<string>;

  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

/** A reply already encoded as JSON text: for replies on hot paths. */
export class EncodedReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a command answers. A miss is `null`. */
export type Reply = Json | EncodedReply | StreamedReply;

/** A reply, or the error that takes its place. */
export type Outcome = Reply | Error;

/** Who is at the other end of a connection. */
export interface Peer {
  /** For log lines: `unix` or the network address and port. */
  readonly name: string;
  /** The network address that limits are counted by, or null on a Unix socket. */
  readonly address: string | null;
  /** True if only programs on this machine can connect. */
  readonly local: boolean;
  /** What the listener it came by lets it do; absent: all that the services allow. */
  readonly rights?: Rights;
  /** The user that its certificate names, which an authority of the listener has issued; absent without one. */
  readonly user?: string;
  /** Who else names that user, for log lines; absent: the certificate does. */
  readonly namedBy?: 'the proxy' | 'the session';
  /** The proxy that said who it is, by its address; absent where nobody stands between. */
  readonly proxy?: string;
  /** What it has taken already, where something had to be read from it before it could be served. */
  readonly place?: Place;
  /** What its listener counts. */
  readonly listener?: ListenerFigures;
}

/** The place of a client among all that are connected, which it keeps as it goes from layer to layer. */
export interface Place {
  /** When it connected, by `performance.now()`. */
  readonly since: number;
}

/** How a transport carries messages, if it is not a plain byte stream. */
export interface Carrier {
  /** False if a message of any length is one line. */
  readonly chunked: boolean;
  /** Bytes of an unfinished line that have arrived but were not passed on. */
  readonly heldBytes: () => number;
}

/** A command as a connection sees it: a name and how it is carried. */
export interface Command {
  readonly name: string;
  /** A stream command: the connection switches to stream mode. */
  readonly stream: boolean;
  /** Adjacent requests of this command on one connection may be handed over together. */
  readonly batches: boolean;
  /** The gate that requests or lines of this command must pass first; null for a command that only reads. */
  readonly gate?: WriteGate | null;
  /** Whether the answer may be of any length: it is fetched only once there is room for it. */
  readonly isLong?: ((arg: Json) => boolean) | null;
  /** Each line of this stream command takes effect before the next: calls never overlap on one connection. */
  readonly serial?: boolean;
}

/** How far a scan of stream lines came. */
export interface Scanned {
  /** Where the first line begins that was not answered: it is not whole, or not for the scanner to answer. */
  readonly end: number;
  /** Bytes of answers written. */
  readonly written: number;
  readonly lines: number;
  /** Of those, for what is known not to be there. */
  readonly misses: number;
}

/** Answers stream lines from their bytes, without making a text of any. */
export interface LineScanner {
  /**
   * Answers whole lines of `input` in order, until one that it does not settle.
   * @param from where the first line begins
   * @param to where the bytes end that are lines, or a part of one
   * @param output room for at least as many bytes as are scanned: no answer is longer than its line
   * @param most lines
   */
  scan(input: Slate, from: number, to: number, output: Slate, most: number): Scanned;
}

/**
 * One client's state in a service. Methods never throw: what is refused or fails is an Error outcome.
 * A connection has at most one `invoke` in flight; `stream` calls are answered in order, and may overlap
 * unless the command is serial.
 */
export interface Session {
  /** The command of that wire name, or null. */
  command(name: string): Command | null;
  /**
   * The refusal of a command that is not open to this client whatever its argument; null where the argument has a say.
   * Rights to a stream command are checked once, when it is entered.
   * @param quietly the client has not asked for it: a refusal is no news for the log
   */
  refuses(command: Command, quietly?: boolean): Error | null | Promise<Error | null>;
  /** Answers `args.length` requests of one command; several only if the command batches. Outcomes in the same order. */
  invoke(command: Command, args: readonly Json[]): readonly Outcome[] | Promise<readonly Outcome[]>;
  /**
   * Answers stream lines: the text of as many lines, each ended by a newline, in ASCII.
   * A bad line rejects with a StreamFailure that carries the text for the lines before it.
   */
  stream(command: Command, lines: readonly string[]): string | Promise<string>;
  /** Counts a request that nobody invokes: a stream command that is entered, or a refused one; null for an unknown one. */
  count?(command: Command | null, refusal: Error | null): void;
  /** Answers lines of the stream command from memory; null if nothing does. `stream` answers the rest. */
  scanner?(command: Command): LineScanner | null;
  /** Who the client is logged in as at the moment; null for nobody, absent where there are no users. */
  readonly username?: string | null;
  /** The client ended its stream, and every line of it was answered. */
  streamEnded?(): void;
  /** True while the server requires a login that this client has yet to make. */
  readonly awaitsLogin: boolean;
  /** The connection is gone. */
  close(): void;
}

/** A stream cannot go on; `answered` is the reply text for the good lines before the bad one. */
export class StreamFailure extends Error {
  readonly answered: string;

  constructor(answered: string, cause: unknown) {
    super('stream failure', { cause });
    this.answered = answered;
  }
}

/** A service behind the first word of a connection. */
export interface Service {
  /** The first word: `OEHASHEQUIV` or `PRSERVICE`. */
  readonly protocol: string;
  /** A fault of the server's own closes the connection of a client that did not ask to be told of it: see faults.ts. */
  readonly closesOnFault?: true;
  /** Whether the service speaks this protocol version. */
  accepts(major: number, minor: number): boolean;
  /**
   * A client's handshake is complete.
   * @param via the servers it asks for, when it is a server itself
   * @throws ProtocolError when the client is refused
   */
  open(peer: Peer, via: readonly string[]): Session;
  /** The server is stopping: whoever waits for another server gets an answer without it. */
  stopAsking?(): void;
  /** Ends the service's background work, after the last session; gives up what is not done within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** What is known of the turns at the event loop that connections share. */
export interface SharedTurns {
  /** Whether whoever has something to do must wait for the next turn. */
  readonly isOver: boolean;
  /** Notes what was done since `began`, by `performance.now()`. */
  spend(began: number): void;
  /** Lets the worker go on in its turn; `isBusy` when it has much to do. */
  queue(worker: { work(): void }, isBusy: boolean): void;
  /** Resolves in a turn that nobody else shares: for what takes long and is done in one go. */
  next(): Promise<void>;
}

/** Where transports hand their clients over. */
export interface Host {
  /** What is counted of all clients. */
  readonly figures: HubFigures;
  /** For a transport that has work to do before there is a line: it does it in turns with others. */
  readonly turns: SharedTurns;
  /** Serves a client on a byte stream. Past the connection limit the stream is destroyed. */
  accept(stream: Duplex, peer: Peer, carrier?: Carrier): void;
  /**
   * Takes a place for a client from which something must be read before it can be served: it counts as one in its
   * handshake from now on. `accept` then gets it as a part of the peer, who may be at another address by then.
   * @param onLate the time for the handshake is over: the socket must be ended
   * @returns null past the connection limit, after the socket was destroyed
   */
  arrive(socket: Duplex, peer: Peer, onLate: () => void): Place | null;
  /** Counts, logs and destroys a client that is refused before it can be served. `what` is one of a few fixed texts. */
  refuse(socket: Duplex, peer: Peer, what: string, fields?: LogFields): void;
}
