import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { WireClient } from './helpers.ts';

/** A number below `below`, 0 included. */
export type Random = (below: number) => number;

function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Runs something that depends on chance; a failure names the seed, which BAKESERV_TEST_SEED gives again. */
export async function withSeed(run: (random: Random) => Promise<void>): Promise<void> {
  const seed = Number(process.env.BAKESERV_TEST_SEED ?? randomInt(2 ** 31));
  try {
    await run(randomFrom(seed));
  } catch (error) {
    throw new Error(`with BAKESERV_TEST_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  }
}

/** From a byte to 64 KiB, each order of size as often as the others. */
function pieceLength(random: Random): number {
  return 1 + random([8, 400, 64 * 1024][random(3)]!);
}

/** Lets others have from none to three turns of the event loop. */
async function someTurns(random: Random): Promise<void> {
  for (let left = random(4); left > 0; left--) await new Promise(setImmediate);
}

async function writePieces(stream: Duplex, bytes: Buffer, random: Random): Promise<void> {
  for (let at = 0; at < bytes.length && !stream.destroyed && !stream.writableEnded; ) {
    const end = at + pieceLength(random);
    if (!stream.write(bytes.subarray(at, end))) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
    at = end;
    await someTurns(random);
  }
}

/** A client whose bytes leave in pieces of any size with turns in between. */
export class PacedClient extends WireClient {
  private unsent: Buffer = Buffer.alloc(0);
  private sending: Promise<void> | null = null;
  private readonly random: Random;

  constructor(stream: Duplex, random: Random) {
    super(stream);
    this.random = random;
  }

  override send(text: string | Buffer): void {
    this.unsent = Buffer.concat([this.unsent, Buffer.from(text as string)]);
    this.sending ??= this.sendAll();
  }

  override async flushed(): Promise<void> {
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    while (this.unsent.length > 0) {
      const piece = this.unsent.subarray(0, pieceLength(this.random));
      this.unsent = this.unsent.subarray(piece.length);
      if (this.stream.destroyed || this.stream.writableEnded) continue;
      this.stream.write(piece);
      await someTurns(this.random);
    }
    this.sending = null;
  }
}

/** A request, or a line of a stream, and how the line that answers it is looked at. */
export interface Exchange {
  readonly text: string;
  /** Throws when the line is not the answer to this. */
  readonly check: (line: string) => void;
}

/** A request and its answer; of a row the members that `answer` has are compared. */
export function request(command: string, args: Json, answer: Json): Exchange {
  const text = `${JSON.stringify({ [command]: args })}\n`;
  return { text, check: (line) => assert.deepEqual(partOf(JSON.parse(line), answer), answer, `to ${text}`) };
}

/** The lines of a stream, from its beginning to its end, beside their answers. */
export function streamed(command: string, lines: readonly (readonly [string, string])[]): Exchange[] {
  const one = (text: string, answer: string): Exchange => ({
    text: `${text}\n`,
    check: (line) => assert.equal(line, answer, `to ${text}`),
  });
  const inside = lines.map(([text, answer]) => one(text, answer));
  return [one(JSON.stringify({ [command]: null }), '"ok"'), ...inside, one('END', 'ok')];
}

function partOf(answer: Json, expected: Json): Json {
  if (answer === null || expected === null || typeof answer !== 'object' || typeof expected !== 'object') return answer;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, (answer as Record<string, Json>)[key] ?? null]));
}

/** Has so many requests in flight at all times, sends the next as an answer comes, and compares every answer. */
export async function keepWindow(client: WireClient, exchanges: readonly Exchange[], window: number): Promise<void> {
  let sent = 0;
  for (const [at, { text, check }] of exchanges.entries()) {
    for (; sent < exchanges.length && sent < at + window; sent++) client.send(exchanges[sent]!.text);
    const line = await client.line();
    assert.notEqual(line, null, `the server closed instead of answering ${text}`);
    try {
      check(line!);
    } catch (error) {
      throw new Error(`answer ${at} of ${exchanges.length}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * Stands between clients and a server on sockets, and passes what each says on in pieces of any size with turns in
 * between.
 * @param target where the server listens
 * @param at a path of a Unix socket to listen at, or null for a free TCP port
 */
export async function cuttingProxy(
  t: { after(fn: () => void): void },
  target: net.NetConnectOpts,
  random: Random,
  at: string | null,
): Promise<net.AddressInfo> {
  const open = new Set<net.Socket>();
  const passOn = async (from: net.Socket, to: net.Socket) => {
    for await (const bytes of from) await writePieces(to, bytes, random);
    to.end();
  };
  const server = net.createServer({ noDelay: true }, (near) => {
    const far = net.connect({ ...target, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('error', () => {});
      passOn(from, to).catch(() => to.destroy());
    }
  });
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  if (at === null) server.listen(0, '127.0.0.1');
  else server.listen(at);
  await once(server, 'listening');
  return server.address() as net.AddressInfo;
}
