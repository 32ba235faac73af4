import { KIB, type LimitHits, type Limits, noHits } from '../limits.ts';
import type { Holder } from './holder.ts';
import { emptyShare, type ShareOf } from './share.ts';

type Share = ShareOf<Holding>;

/** Up to this size a connection is read whatever others hold: most messages, and any line, are shorter. */
const READ_FREE_BYTES = 64 * KIB;
/** What every connection may always hold (more than the above, because of a last read); the rest comes from the pool. */
const FREE_BYTES = 2 * READ_FREE_BYTES;
/** A client that holds up others and moves fewer bytes than this … */
const MIN_BYTES_PER_SECOND = 16 * KIB;
/** … for this long has stalled, and must give up what it holds. */
const STALLED_MS = 1000;
/** The part of the pool that one address, or all Unix sockets, may take. */
const SHARE = 0.5;

/**
 * The bytes held for all clients, each counted once from its arrival to the last byte of its answer. Above what every
 * connection may always hold they come from one pool, of which no address takes more than its share. A connection that finds no
 * room waits unread; a message that is let in gets room to its end, so that no two wait for each other. While
 * somebody waits, those that hold room and have stalled must give it up, the one that holds most for longest first.
 */
export class Account {
  /** Bytes held now, of all clients. */
  held = 0;
  /** Taken from the pool: what is held above the free part, and what is reserved for messages and answers in progress. */
  taken = 0;
  /** Of that, reserved for incomplete messages. */
  private reserved = 0;
  private readonly limits: Limits;
  private readonly shares = new Map<string | null, Share>();
  /** Those that hold room. */
  private readonly large = new Set<Holding>();
  /** Connections that wait for room. */
  waiting = 0;
  private waking = false;

  private readonly hits: LimitHits;

  /** @param hits counts connections that begin to wait */
  constructor(limits: Limits, hits = noHits()) {
    this.limits = limits;
    this.hits = hits;
  }

  /** Starts counting for a connection. */
  open(holder: Holder): Holding {
    const share = this.shares.get(holder.address) ?? emptyShare<Holding>();
    share.holdings++;
    this.shares.set(holder.address, share);
    return new Holding(this, holder, share, this.limits.maxMessageBytes);
  }

  /** Makes those that have stalled give up their room if others wait. Called a few times a second. */
  relieve(elapsedMs: number, now = performance.now()): void {
    if (this.waiting === 0) return;
    const stalled = [...this.large].filter((holding) => holding.hasStalled(elapsedMs) && this.isInTheWay(holding));
    stalled.sort((a, b) => b.taken * (now - b.since) - a.taken * (now - a.since));
    for (const holding of stalled.slice(0, this.waiting)) holding.holder.giveUp();
  }

  /** Whether the connection may be read further; if not, it waits and is called back. */
  mayRead(holding: Holding): boolean {
    const { readers } = holding.share;
    // A new long message waits behind those of its address that already wait.
    holding.waits = !((readers.size === 0 || !holding.isLarge || holding.granted) && this.admit(holding));
    if (holding.waits) this.wait(readers, holding, holding.isLarge ? 'maxPartialBytes' : 'maxHeldBytes');
    else this.goOn(readers, holding);
    return !holding.waits;
  }

  /** Whether an answer of any length may be fetched; if not, the connection waits and is called back. */
  mayFetch(holding: Holding): boolean {
    const { fetchers } = holding.share;
    if (holding.fetching || (fetchers.size === 0 && this.admitFetch(holding))) return true;
    this.wait(fetchers, holding, 'maxHeldBytes');
    return false;
  }

  /** Whether a little more may be held for the connection. */
  hasRoom(share: Share): boolean {
    const { maxHeldBytes } = this.limits;
    return this.taken < maxHeldBytes && share.taken < maxHeldBytes * SHARE;
  }

  /** The connection is gone and no longer waits. */
  end(holding: Holding): void {
    const { holder, share } = holding;
    if (--share.holdings === 0) this.shares.delete(holder.address);
    this.goOn(share.readers, holding);
    this.goOn(share.fetchers, holding);
  }

  /** Counts what a connection takes from the pool now. */
  take(holding: Holding, bytes: number, reserved: number): void {
    const { share } = holding;
    const less = bytes < holding.taken || reserved < holding.reserved;
    this.taken += bytes - holding.taken;
    share.taken += bytes - holding.taken;
    this.reserved += reserved - holding.reserved;
    share.reserved += reserved - holding.reserved;
    if (holding.taken === 0) {
      holding.since = performance.now();
      this.large.add(holding);
    }
    holding.taken = bytes;
    holding.reserved = reserved;
    if (bytes === 0) this.large.delete(holding);
    if (less && this.waiting > 0) this.wake();
  }

  /** In the next turn, so that whoever made room goes on first. */
  private wake(): void {
    if (this.waking) return;
    this.waking = true;
    setImmediate(() => {
      this.waking = false;
      for (const { readers, fetchers } of this.shares.values()) {
        for (const holding of readers) {
          if (!this.admit(holding)) continue;
          this.goOn(readers, holding);
          holding.waits = false;
          holding.holder.onRoom();
        }
        for (const holding of fetchers) {
          if (!this.admitFetch(holding)) break;
          this.goOn(fetchers, holding);
          holding.holder.onRoom();
        }
      }
    });
  }

  private wait(queue: Set<Holding>, holding: Holding, limit: keyof Limits): void {
    if (queue.has(holding)) return;
    this.hits[limit]++;
    queue.add(holding);
    this.waiting++;
  }

  private goOn(queue: Set<Holding>, holding: Holding): void {
    if (queue.delete(holding)) this.waiting--;
  }

  private admit(holding: Holding): boolean {
    if (!holding.isLarge) return holding.held <= READ_FREE_BYTES || this.hasRoom(holding.share);
    if (holding.granted) return true;
    const { maxPartialBytes, maxMessageBytes } = this.limits;
    const fits = (reserved: number, most: number) => reserved === 0 || reserved + maxMessageBytes <= most;
    if (!fits(this.reserved, maxPartialBytes) || !fits(holding.share.reserved, maxPartialBytes * SHARE)) return false;
    if (!this.hasRoomForMessage(holding)) return false;
    holding.grant();
    return true;
  }

  private admitFetch(holding: Holding): boolean {
    if (!this.hasRoomForMessage(holding)) return false;
    holding.beginFetch();
    return true;
  }

  private hasRoomForMessage({ share, taken }: Holding): boolean {
    const { maxHeldBytes, maxMessageBytes } = this.limits;
    const fits = (others: number, most: number) => others === 0 || others + maxMessageBytes <= most;
    return fits(this.taken - taken, maxHeldBytes) && fits(share.taken - taken, maxHeldBytes * SHARE);
  }

  /** Whether somebody waiting could use its room: one of its address, or anybody when the pool is used up. */
  private isInTheWay({ share }: Holding): boolean {
    const { maxHeldBytes, maxPartialBytes, maxMessageBytes } = this.limits;
    if (this.taken + maxMessageBytes > maxHeldBytes || this.reserved + maxMessageBytes > maxPartialBytes) return true;
    return share.readers.size + share.fetchers.size > 0;
  }
}

/** What is held for one connection. */
export class Holding {
  readonly holder: Holder;
  readonly share: Share;
  /** Bytes held: read and not answered, and answered and not sent. */
  held = 0;
  /** Taken from the pool; since when; how much of it is reserved for the rest of a message. */
  taken = 0;
  reserved = 0;
  since = 0;
  /** An incomplete message may be read to its end. */
  granted = false;
  /** An answer is being fetched. */
  fetching = false;
  /** False while the connection is not read: the client is then not to blame for sending nothing. */
  isRead = true;
  /** Waits for room to be read. */
  waits = false;
  private partial = 0;
  private unsent = 0;
  private moved = 0;
  private stalledMs = 0;
  private closed = false;
  private readonly account: Account;
  private readonly wholeBytes: number;

  /** @param wholeBytes what is reserved for a message, or an answer, until it is complete */
  constructor(account: Account, holder: Holder, share: Share, wholeBytes: number) {
    this.account = account;
    this.holder = holder;
    this.share = share;
    this.wholeBytes = wholeBytes;
  }

  /**
   * Notes what is held now.
   * @param partial of it, the incomplete message or line
   * @param unsent of it, answers not yet sent
   */
  set(held: number, partial: number, unsent: number): void {
    if (this.closed) return;
    this.account.held += held - this.held;
    this.held = held;
    if (partial > this.partial) this.moved += partial - this.partial;
    if (unsent < this.unsent) this.moved += this.unsent - unsent;
    this.partial = partial;
    this.unsent = unsent;
    if (this.granted && !this.isLarge) this.granted = false;
    if (held > FREE_BYTES || this.taken > 0 || this.granted) this.settle();
  }

  /** The incomplete message is too long to be read on without asking. */
  get isLarge(): boolean {
    return this.partial > READ_FREE_BYTES;
  }

  /** Whether more may be read; if not, `onRoom` says when. */
  get mayRead(): boolean {
    return (this.held <= READ_FREE_BYTES && !this.waits) || this.account.mayRead(this);
  }

  /** Whether an answer of any length may be fetched; if not, `onRoom` says when. Room is reserved for it until `fetched`. */
  get mayFetch(): boolean {
    return this.account.mayFetch(this);
  }

  /** Whether more answers may be held. */
  get maySend(): boolean {
    return this.held <= READ_FREE_BYTES || this.account.hasRoom(this.share);
  }

  grant(): void {
    this.granted = true;
    this.settle();
  }

  beginFetch(): void {
    this.fetching = true;
    this.settle();
  }

  /** The answer is there, and counted. */
  fetched(): void {
    if (!this.fetching) return;
    this.fetching = false;
    this.settle();
  }

  /** Adds elapsed time; true when for too long its client has not moved what is held for it. */
  hasStalled(elapsedMs: number): boolean {
    const moved = this.moved;
    this.moved = 0;
    const isClients = this.unsent > 0 || (this.granted && this.isRead);
    const moves = moved * 1000 >= MIN_BYTES_PER_SECOND * elapsedMs;
    this.stalledMs = moves || !isClients ? 0 : this.stalledMs + elapsedMs;
    return this.stalledMs >= STALLED_MS;
  }

  /** The connection is gone and no longer counts. */
  close(): void {
    if (this.closed) return;
    this.granted = false;
    this.fetching = false;
    this.set(0, 0, 0);
    this.closed = true;
    this.account.end(this);
  }

  private settle(): void {
    if (this.closed) return;
    const reserved = this.granted ? this.wholeBytes : 0;
    const ahead = this.granted ? Math.max(0, this.wholeBytes - this.partial) : 0;
    const taken = Math.max(0, this.held - FREE_BYTES) + ahead + (this.fetching ? this.wholeBytes : 0);
    if (taken !== this.taken || reserved !== this.reserved) this.account.take(this, taken, reserved);
  }
}
