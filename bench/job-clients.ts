import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseAddress } from './generator.ts';
import { hashOf, METHOD, TASKHASH, UNIHASH } from './keys.ts';

/** What clients have seen; times in milliseconds. */
export interface Seen {
  readonly pings: number[];
  readonly reports: number[];
  readonly gets: number[];
  /** What the server's main thread worked while each ping waited: what it makes a client wait by itself. */
  readonly own: number[];
  /** Answers that were none to their own request. */
  wrong: number;
}

export interface Clients {
  /** What they have seen since it was asked for last. */
  take(): Seen;
  stop(): Promise<void>;
}

const PAUSE_MS = 5;
/** So many pings for a report and a look-up of it, and a look-up of a hash that was there from the start. */
const PINGS = 10;
const LATE_MS = 60_000;

const nothing = (): Seen => ({ pings: [], reports: [], gets: [], own: [], wrong: 0 });

/**
 * Clients that ping a server all the time, and now and then report and look up, each with one request in flight.
 * @param isGone whether a job may have removed what they look up
 * @param worked processor time of the server's main thread
 */
export function startClients(
  address: string,
  count: number,
  hashes: number,
  isGone: () => boolean,
  worked: () => number,
): Clients {
  let seen = nothing();
  let over = false;
  const clients = Array.from({ length: count }, (_, i) => client(i));

  async function client(number: number): Promise<void> {
    const line = connect(address);
    const ask = async (times: number[], command: string, argument: object, good: RegExp) => {
      const began = performance.now();
      const answer = await line.ask(`${JSON.stringify({ [command]: argument })}\n`);
      times.push(performance.now() - began);
      if (!good.test(answer)) seen.wrong++;
    };
    for (let n = 1; !over; n++) {
      const before = worked();
      await ask(seen.pings, 'ping', {}, /^\{"alive": true\}$/);
      seen.own.push(worked() - before);
      if (n % PINGS === 0) {
        // Of this client alone, as each names itself in it.
        const own = `${number.toString(16)}${n.toString(16).padStart(8, '0')}`.padStart(64, 'f');
        const key = { method: 'bench.jobs', taskhash: own };
        await ask(seen.reports, 'report', { ...key, outhash: own, unihash: own }, new RegExp(`"unihash": "${own}"`));
        const known = (number * 7919 + n * 104_729) % hashes;
        const unihash = isGone() ? 'null|' : '';
        const expected = new RegExp(`^${unihash}.*"unihash": "${hashOf(known, UNIHASH)}"`);
        await ask(seen.gets, 'get', { method: METHOD, taskhash: hashOf(known, TASKHASH) }, expected);
      }
      await pause(PAUSE_MS);
    }
    line.close();
  }

  return {
    take() {
      const taken = seen;
      seen = nothing();
      return taken;
    },
    async stop() {
      over = true;
      await Promise.all(clients);
    },
  };
}

/** A connection of the line protocol. */
function connect(address: string) {
  const socket = net.connect(parseAddress(address));
  let held = '';
  let answer: (line: string) => void = () => {};
  socket.on('error', (error) => answer(`error: ${error.message}`));
  socket.on('close', () => answer('closed'));
  socket.on('data', (chunk) => {
    held += chunk.toString('latin1');
    const end = held.indexOf('\n');
    if (end < 0) return;
    const line = held.slice(0, end);
    held = held.slice(end + 1);
    answer(line);
  });
  socket.write('OEHASHEQUIV 1.1\n\n');
  return {
    ask: (text: string) =>
      new Promise<string>((resolve) => {
        const late = setTimeout(() => resolve('late'), LATE_MS);
        answer = (line) => {
          clearTimeout(late);
          resolve(line);
        };
        socket.write(text);
      }),
    close: () => socket.destroy(),
  };
}
