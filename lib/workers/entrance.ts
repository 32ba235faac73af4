import type net from 'node:net';
import { HubFigures } from '../asyncrpc/hub-figures.ts';
import type { Presence } from '../asyncrpc/server/hub.ts';
import { countedAddress, Places } from '../asyncrpc/server/places.ts';
import { type Bound, openEntry } from '../asyncrpc/transport/bound.ts';
import type { InheritedSocket } from '../asyncrpc/transport/inherited.ts';
import { createProxies, type Proxies } from '../asyncrpc/transport/proxies.ts';
import { logFailures } from '../asyncrpc/transport/server.ts';
import { AddressError } from '../errors.ts';
import { type Logger, limitRate } from '../log.ts';
import type { Config } from '../settings/config.ts';
import type { ListenerSpec } from '../settings/listener-spec.ts';
import { bySpec } from '../start/doors.ts';
import type { DoorNotice } from './messages.ts';
import type { Newcomer, WorkerProcess } from './worker-process.ts';

/**
 * Where the clients of all workers come in: the listening sockets, the limits on how many may be connected, and who serves which.
 * A client goes to the worker that has fewest: connections last long, and a worker that was quick to accept many would keep them.
 */
export class Entrance {
  /** What it refused. */
  readonly figures = new HubFigures();
  /** Told of clients. */
  presence: Presence | null = null;
  private readonly config: Config;
  private readonly log: Logger;
  /** Gets what clients cause. */
  private readonly clientLog: Logger;
  private readonly workers: () => readonly WorkerProcess[];
  private readonly places: Places;
  private readonly proxies: Proxies;
  private readonly bound: Bound[] = [];
  /** Clients that no worker could be given yet. */
  private waiting: Newcomer[] = [];
  private taken = 0;
  private lastId = 0;
  private lastWorker = 0;
  private emptySince = performance.now();
  private closed = false;

  /** @param workers those that there are; they are asked whether they are ready */
  constructor(config: Config, log: Logger, workers: () => readonly WorkerProcess[]) {
    this.config = config;
    this.log = log;
    this.clientLog = limitRate(log);
    this.workers = workers;
    this.places = new Places(config.limits);
    this.proxies = createProxies(config.trustProxy);
  }

  /** Clients connected now. */
  get size(): number {
    return this.taken;
  }

  /** Milliseconds since the last client was connected; 0 while one is. */
  get idleMs(): number {
    return this.taken > 0 ? 0 : performance.now() - this.emptySince;
  }

  /**
   * Listens on every address, or on the sockets that were handed over in their place.
   * @throws AddressError, ConfigError after closing whatever was opened
   */
  async open(inherited: readonly InheritedSocket[]): Promise<readonly DoorNotice[]> {
    const { binds, limits } = this.config;
    const handed = bySpec(inherited, binds, this.log);
    const entries = inherited.length > 0 ? handed : binds.map((spec) => ({ fd: null, spec }));
    const notices: DoorNotice[] = [];
    try {
      for (const [door, { fd, spec }] of entries.entries()) {
        const access = spec?.access ?? { mode: null, group: null };
        const entry = { address: spec?.address, fd, access, tls: spec?.tls ?? null };
        const opened = await openEntry(entry, limits, (socket) => this.arrive(socket, door, namesClients(spec)));
        this.bound.push(opened);
        if (this.closed) throw new AddressError('the server is stopping');
        logFailures(opened.server, opened.address, this.clientLog);
        const bind = spec ? binds.indexOf(spec) : null;
        notices.push({ address: opened.address, asked: spec?.address ?? null, bind });
      }
    } catch (error) {
      this.close();
      throw error;
    }
    return notices;
  }

  /** Hands out the clients that waited for a worker. */
  admit(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const client of waiting) this.send(client);
  }

  /** Clients whose worker has ended before it took them: another gets them. */
  takeBack(clients: readonly Newcomer[]): void {
    for (const client of clients) this.send(client);
  }

  /** Clients have gone. */
  leave(places: readonly (string | null)[]): void {
    for (const place of places) this.places.leave(place);
    this.taken -= places.length;
    if (this.taken > 0) return;
    this.emptySince = performance.now();
    this.presence?.rest();
  }

  /** Lets nobody in any more. Those who wait have been read nothing from: they go at once. */
  close(): void {
    this.closed = true;
    for (const each of this.bound) each.close();
    const { waiting } = this;
    this.waiting = [];
    for (const client of waiting) this.drop(client);
  }

  private arrive(socket: net.Socket, door: number, named: boolean): void {
    socket.on('error', () => {});
    const id = ++this.lastId;
    const address = countedAddress(socket.remoteAddress ?? null);
    // A proxy stands for many: its clients are counted by their own addresses where those are read.
    const isProxied = named && address !== null && this.proxies.trusts(socket.remoteAddress!);
    const place = isProxied ? `a proxy's client ${id}` : address;
    const full = this.closed ? null : this.places.take(place);
    if (full) {
      this.figures.hits[full.name]++;
      const peer = address === null ? 'unix' : `${socket.remoteAddress}:${socket.remotePort}`;
      this.clientLog.warn(full.what, { peer, limit: full.limit });
    }
    if (full || this.closed) return void socket.destroy();
    this.taken++;
    this.presence?.wake();
    this.send({ id, socket, door, place });
  }

  private send(client: Newcomer): void {
    if (this.closed) return this.drop(client);
    const worker = this.choose();
    if (!worker) return void this.waiting.push(client);
    this.lastWorker = worker.number;
    worker.take(client);
  }

  private drop({ socket, place }: Newcomer): void {
    socket.destroy();
    this.leave([place]);
  }

  /** The worker with the fewest clients; of several the one after whoever had the last. One that is slow to take them only if all are. */
  private choose(): WorkerProcess | null {
    const now = performance.now();
    const ready = this.workers().filter((worker) => worker.isReady);
    const prompt = ready.filter((worker) => worker.isPrompt(now));
    let best: WorkerProcess | null = null;
    for (const worker of prompt.length > 0 ? prompt : ready) {
      if (!best || worker.size < best.size || (worker.size === best.size && this.isNext(worker, best))) best = worker;
    }
    return best;
  }

  private isNext(worker: WorkerProcess, than: WorkerProcess): boolean {
    const after = ({ number }: WorkerProcess) => (number > this.lastWorker ? number : number + this.config.workers);
    return after(worker) < after(than);
  }
}

/** Whether a proxy is heard there when it says who its clients are. */
function namesClients(spec: ListenerSpec | null): boolean {
  return spec !== null && (spec.proxyProtocol || spec.address.kind === 'http' || spec.address.kind === 'ws');
}
