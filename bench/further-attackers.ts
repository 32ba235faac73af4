/** Attacks on what bakeserv adds to the protocol, and on everything that answers slowly, in pieces or in the background. */

import { frame } from '../tests/websocket-frame.ts';
import {
  chunked,
  connect,
  connected,
  flood,
  HASH,
  hex,
  MIB,
  PR,
  request,
  rest,
  stream,
  until,
  wait,
  webSocket,
} from './attacker-tools.ts';

const PACKAGE = { version: 'big-1-r0', pkgarch: 'x' };
const numbered = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
const UNIHASH_COLUMNS = ['method', 'taskhash', 'unihash'];

export const FURTHER_ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  'get-stream of unknown methods': () =>
    flood(connected(10, `${HASH}${request('get-stream', null)}`), numbered(4000, (n) => `m${n} ${hex(n)}\n`).join('')),
  'exists-stream of unknown unihashes': () =>
    flood(connected(10, `${HASH}${request('exists-stream', null)}`), numbered(4000, (n) => `${hex(n)}\n`).join('')),
  'streams of no lines': () => flood(connected(10, HASH), stream('get-stream', []).repeat(4000)),
  'get of unknown tasks': () =>
    flood(connected(100, HASH), numbered(1000, (n) => request('get', { method: 'm', taskhash: hex(n) })).join('')),
  'get-stats and backfill-wait': () =>
    flood(connected(10, HASH), (request('get-stats', null) + request('backfill-wait', null)).repeat(2000)),
  'reports, 10 x 1,000 in flight': async () => {
    const sockets = connected(10, HASH);
    for (let from = 0; performance.now() < until; from += 1000) {
      const block = (at: number) =>
        numbered(1000, (n) => {
          const hash = hex((at * 1000 + n) * 1_000_000 + from);
          return request('report', { method: 'm', taskhash: hash, outhash: hash, unihash: hash });
        }).join('');
      for (const [at, socket] of sockets.entries()) if (socket.writableLength < MIB) socket.write(block(at));
      await wait(50);
    }
  },
  'import-rows of 1,000 bad rows': () =>
    flood(
      connected(6, HASH),
      chunked(
        request('import-rows', {
          table: 'unihashes',
          columns: UNIHASH_COLUMNS,
          rows: numbered(1000, () => ['m', 't', 'u']),
        }).trim(),
      ),
    ),
  'import-rows of 1,000 good rows': async () => {
    const sockets = connected(6, HASH);
    for (let from = 0; performance.now() < until; from += 1000) {
      for (const [at, socket] of sockets.entries()) {
        if (socket.writableLength > MIB) continue;
        const rows = numbered(1000, (n) => ['m', hex((at * 1000 + n) * 1_000_000 + from), hex(n)]);
        socket.write(chunked(request('import-rows', { table: 'unihashes', columns: UNIHASH_COLUMNS, rows }).trim()));
      }
      await wait(20);
    }
  },
  'import-rows of PR values, 16 MiB, only checked': () => {
    const rows = numbered(99_000, (n) => JSON.stringify([`p-${n}`, 'x', hex(n), '1'])).join('\n');
    return flood(connected(4, PR), chunked(request('import-rows', { rows, check: true }).trim()));
  },
  'count-rows': () =>
    flood(connected(6, HASH), request('count-rows', { where: { method: 'm', PN: 'x' } }).repeat(1000)),
  'count-stream and gc-mark-stream of one unihash with 20,000 tasks': async () => {
    const [writer, ...sockets] = connected(3, HASH);
    const task = (n: number) => request('report-equiv', { method: 'm', taskhash: hex(n), unihash: hex(1) });
    for (let from = 0; from < 20_000; from += 1000) {
      writer!.write(numbered(1000, (n) => task(from + n)).join(''));
      await wait(50);
    }
    const [count, mark] = sockets;
    const where = { unihash: hex(1) };
    await Promise.all([
      flood(
        [count!],
        stream(
          'count-stream',
          numbered(2000, () => JSON.stringify({ where })),
        ),
      ),
      flood(
        [mark!],
        stream(
          'gc-mark-stream',
          numbered(2000, () => JSON.stringify({ mark: 'a', where })),
        ),
      ),
    ]);
  },
  'remove of what is not there': () =>
    flood(connected(6, HASH), request('remove', { where: { owner: 'x' } }).repeat(500)),
  'chain-pr of a large package': () =>
    flood(connected(6, PR), request('chain-pr', { ...PACKAGE, checksum: hex(5), history: false }).repeat(256)),
  'export of a large package-pr': () =>
    flood(connected(10, PR), request('export', { version: 'big-1-r0', pkgarch: 'x', history: true }).repeat(64)),
  'export of a large package-pr, not read': async () => {
    for (const socket of connected(500, PR, false))
      socket.write(request('export', { ...PACKAGE, history: true }).repeat(8));
    await rest();
  },
  'plain form with lists': () => {
    const lines = numbered(800, (n) => `m ${hex(n)}`);
    const call = (method: string, list: string[]) => `${JSON.stringify({ id: 1, method, params: { lines: list } })}\n`;
    return flood(
      connected(10, ''),
      call('get-stream', lines) +
        call(
          'exists-stream',
          lines.map((line) => line.slice(2)),
        ),
    );
  },
  'plain form over WebSocket, lists of 12 MiB': async () => {
    const lines = numbered((12 * MIB) / 72, (n) => `m ${hex(n)}`);
    const call = frame(1, JSON.stringify({ id: 1, method: 'get-stream', params: { lines } }));
    await flood(await Promise.all(numbered(2, () => webSocket())), call);
  },
  'WebSocket pings, pongs not read': async () => {
    await flood(
      await Promise.all(numbered(10, () => webSocket(false))),
      Buffer.concat(numbered(2000, () => frame(9, 'x'.repeat(125)))),
    );
  },
  'WebSocket fragments of a byte with pings between': async () => {
    const sockets = await Promise.all(numbered(10, () => webSocket()));
    const pings = Buffer.concat(numbered(490, () => frame(9, 'x'.repeat(125))));
    for (const socket of sockets) socket.write(frame(1, 'x', false));
    await flood(sockets, Buffer.concat([frame(0, 'x', false), pings]));
  },
  'WebSocket messages of a byte': async () => {
    await flood(await Promise.all(numbered(10, () => webSocket())), Buffer.concat(numbered(8000, () => frame(1, '1'))));
  },
  'guessing, 500 connections, then hanging up': async () => {
    await Promise.all(
      numbered(500, async (at) => {
        for (let n = 0; performance.now() < until; n++) {
          const socket = connect();
          socket.write(
            HASH +
              request('auth', { username: n % 2 ? 'admin' : `user-${at}-${n}`, token: 'x'.repeat(1000) }).repeat(20),
          );
          await wait(n % 3 ? 300 : 1500);
          socket.destroy();
        }
      }),
    );
  },
  'half a line, 1,500 connections': async () => {
    for (const socket of connected(1500, HASH)) socket.write(`{"get": {"method": "${'m'.repeat(60_000)}`);
    await rest();
  },
  'slow readers, 1,000 connections': async () => {
    const sockets = connected(1000, HASH, false);
    const block = request('ping', {}).repeat(3000);
    for (const socket of sockets) socket.write(block.repeat(8));
    while (performance.now() < until) {
      for (const socket of sockets) socket.read(10);
      await wait(500);
    }
  },
  'headers, a byte at a time': async () => {
    const sockets = numbered(500, () => connect());
    const text = 'OEHASHEQUIV 1.1\nx: y\n';
    for (let at = 0; performance.now() < until; at++) {
      for (const socket of sockets) socket.write(text[at] ?? 'y');
      await wait(20);
    }
  },
};
