import net from 'node:net';
import { createCheck } from './answers.ts';
import { buildRequests, isStream, type Mode, preamble } from './requests.ts';
import { percentile } from './statistics.ts';

export interface LoadOptions {
  /** `unix:PATH` or `HOST:PORT`. */
  readonly address: string;
  readonly mode: Mode;
  readonly connections: number;
  /** Requests in flight on a connection. */
  readonly depth: number;
  readonly requests: number;
  /** Request i asks for key `offset + i % keys`. */
  readonly keys: number;
  readonly offset: number;
  readonly salt: number;
  /** A new connection for every request: connect, handshake, request, reply, close. */
  readonly oneShot: boolean;
  /** The server only echoes: its answers are not held against the requests. */
  readonly unchecked?: boolean;
  /** Ends early, with what was answered by then. */
  readonly timeBoundMs: number;
}

/** The names of the C load generator's output. Latencies in microseconds. */
export interface LoadResult {
  readonly mode: Mode;
  readonly conns: number;
  readonly depth: number;
  readonly requests: number;
  readonly seconds: number;
  readonly rate: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly max_us: number;
  /** Answers that hold something: a unihash, `true`, a reply that is no invoke-error. */
  readonly hits: number;
  readonly misses: number;
  /** Answers that are not those to their own requests. A server that gives them has no rate. */
  readonly wrong: number;
  /** When the last answer came, on the monotonic clock of all processes; the C load generator does not say it. */
  readonly ended_us?: number;
}

const NEWLINE = 10;
const LETTER_I = 105;
const READ_BYTES = 64 * 1024;

/**
 * Puts load on a server. Nothing is made per request on the way: requests are written as slices of one Buffer, one
 * write for all that an arriving chunk makes room for, and answers are compared with what their requests are to be
 * answered, undecoded.
 * @throws Error when a connection fails or closes before all is answered
 */
export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { mode, connections, depth, keys, oneShot } = options;
  const stream = isStream(mode) && !oneShot;
  const hello = preamble(mode, stream);
  const { bytes, offsets } = buildRequests(mode, options.offset, keys, options.salt);
  const latencies = new Float32Array(options.requests);
  const address = parseAddress(options.address);
  const sockets = new Set<net.Socket>();
  let total = options.requests;
  let opened = 0;
  let issued = 0;
  let done = 0;
  let hits = 0;
  let wrong = 0;
  const isOwn = options.unchecked ? null : createCheck(mode, options.offset, keys);
  let began = 0;

  return new Promise((resolve, reject) => {
    const bound = setTimeout(() => finish(), options.timeBoundMs);
    let waiting = connections;
    const starts: (() => void)[] = [];
    for (let i = 0; i < Math.min(connections, total); i++) open();

    function open(): void {
      opened++;
      const sent = new Float64Array(depth);
      /** Of which key each request in flight is: its place among the keys. */
      const asked = new Uint32Array(depth);
      let head = 0;
      let tail = 0;
      let rest: Buffer | null = null;
      let inPreamble = stream;
      const dialled = performance.now();
      const socket = net.connect({
        ...address,
        noDelay: true,
        onread: { buffer: Buffer.allocUnsafe(READ_BYTES), callback: (length, buffer) => take(length, buffer) },
      });
      sockets.add(socket);
      socket.on('error', (error) => fail(error));
      socket.on('close', () => fail(new Error('the server closed a connection')));
      socket.on('connect', () => {
        if (oneShot) {
          began ||= dialled;
          return send(1, hello, dialled);
        }
        if (stream) socket.write(hello);
        else starts.push(() => send(depth, hello));
        if (!stream) startTogether();
      });

      /** The clock starts when every connection is open (and in its stream), for all of them at once. */
      function startTogether(): void {
        if (--waiting > 0) return;
        began = performance.now();
        for (const start of starts) start();
      }

      function send(room: number, before: Buffer | null = null, at = performance.now()): void {
        let count = Math.min(room, total - issued);
        let parts: Buffer[] | null = before ? [before] : null;
        while (count > 0) {
          const first = issued % keys;
          const run = Math.min(count, keys - first);
          const slice = bytes.subarray(offsets[first]!, offsets[first + run]!);
          for (let i = 0; i < run; i++) {
            asked[head % depth] = first + i;
            sent[head++ % depth] = at;
          }
          issued += run;
          count -= run;
          if (count === 0 && !parts) socket.write(slice);
          else parts = [...(parts ?? []), slice];
        }
        if (parts) socket.write(Buffer.concat(parts));
      }

      function take(length: number, buffer: Uint8Array): boolean {
        const now = performance.now();
        const fresh = Buffer.from(buffer.buffer, buffer.byteOffset, length);
        const chunk: Buffer = rest ? Buffer.concat([rest, fresh]) : fresh;
        let at = 0;
        let room = 0;
        if (inPreamble && length > 0) {
          const end = chunk.indexOf(NEWLINE);
          if (end >= 0) {
            at = end + 1;
            inPreamble = false;
            starts.push(() => send(depth));
            startTogether();
          }
        }
        while (at < chunk.length) {
          // Nearly every line of a stream is a unihash: looking where its end must be spares the search for it.
          let end = at;
          if (chunk[at] !== NEWLINE)
            end = mode === 'get' && chunk[at + 64] === NEWLINE ? at + 64 : chunk.indexOf(NEWLINE, at);
          if (end < 0) break;
          if (isHit(chunk, at, end)) {
            hits++;
            if (isOwn && !isOwn(asked[tail % depth]!, chunk, at, end)) wrong++;
          }
          latencies[done++] = (now - sent[tail++ % depth]!) * 1000;
          room++;
          at = end + 1;
        }
        // The buffer is read into again: what is kept of it must be a copy.
        rest = at < chunk.length ? Buffer.from(chunk.subarray(at)) : null;
        if (room > 0) answered(room);
        return true;
      }

      function answered(room: number): void {
        if (oneShot) drop();
        if (done >= total) finish();
        else if (oneShot && opened < total) open();
        else if (!oneShot && issued < total) send(room);
      }

      function drop(): void {
        sockets.delete(socket);
        socket.removeAllListeners('close');
        socket.destroy();
      }
    }

    function isHit(chunk: Buffer, at: number, end: number): boolean {
      if (!stream) return chunk[at + 2] !== LETTER_I;
      if (end - at === 64) return true;
      if (mode === 'exists') return end - at === 4;
      if (end > at) fail(new Error(`the server answered ${chunk.toString('latin1', at, Math.min(end, at + 200))}`));
      return false;
    }

    function shut(): void {
      clearTimeout(bound);
      total = 0;
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
    }

    function fail(error: Error): void {
      if (total === 0) return;
      shut();
      reject(new Error(`${error.message}; ${done} of ${options.requests} requests were answered`));
    }

    function finish(): void {
      if (total === 0) return;
      const seconds = (performance.now() - began) / 1000;
      shut();
      resolve(resultOf(options, seconds, latencies.subarray(0, done).sort(), hits, wrong));
    }
  });
}

function resultOf(
  options: LoadOptions,
  seconds: number,
  sorted: Float32Array,
  hits: number,
  wrong: number,
): LoadResult {
  const requests = sorted.length;
  return {
    mode: options.mode,
    conns: options.connections,
    depth: options.depth,
    requests,
    seconds: Number(seconds.toFixed(3)),
    rate: Math.round(requests / seconds),
    p50_us: Math.round(percentile(sorted, 0.5)),
    p99_us: Math.round(percentile(sorted, 0.99)),
    max_us: Math.round(percentile(sorted, 1)),
    hits,
    misses: requests - hits,
    wrong,
    ended_us: monotonicUs(),
  };
}

/** Microseconds on the clock that V8's profiles use too. */
export const monotonicUs = () => Number(process.hrtime.bigint() / 1000n);

/** `unix:PATH`, else `HOST:PORT`. */
export function parseAddress(text: string): { path: string } | { host: string; port: number } {
  if (text.startsWith('unix:')) return { path: text.slice(5) };
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
