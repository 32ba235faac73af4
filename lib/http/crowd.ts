import type { HttpClient } from './client.ts';

/** What one network address may have of all connections. */
const SHARE = 0.5;

/**
 * All HTTP connections. When there are as many as there may be, one that the server is not working for makes room for
 * the next: of the address that has most of them, the one that has been so for longest.
 */
export class Crowd {
  readonly max: number;
  private readonly clients = new Set<HttpClient>();

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.clients.size;
  }

  get all(): Iterable<HttpClient> {
    return this.clients;
  }

  add(client: HttpClient): void {
    this.clients.add(client);
  }

  delete(client: HttpClient): void {
    this.clients.delete(client);
  }

  /** Whether there is room for one more of that address, if need be in place of another. */
  makeRoom(address: string | null, now: number): boolean {
    const perAddress = new Map<string | null, number>();
    for (const { address } of this.clients) perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    const itself = (perAddress.get(address) ?? 0) >= Math.max(1, this.max * SHARE);
    if (!itself && this.clients.size < this.max) return true;
    let worst: HttpClient | null = null;
    let most = 0;
    let longest = -1;
    for (const client of this.clients) {
      if (client.isServed || (itself && client.address !== address)) continue;
      const count = perAddress.get(client.address)!;
      const idle = client.idleMs(now);
      if (count < most || (count === most && idle <= longest)) continue;
      worst = client;
      most = count;
      longest = idle;
    }
    if (!worst) return false;
    this.clients.delete(worst);
    worst.stream.destroy();
    return true;
  }
}
