/**
 * One attacker: `node --import tsx bench/attackers.ts NAME PORT WEBSOCKET-PORT SECONDS HTTP-PORT`, from 127.0.0.2. Does the worst
 * it can to the server on 127.0.0.1 for so long, then ends. What it does is bounded, in memory and in connections.
 */
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
  until,
  wait,
} from './attacker-tools.ts';
import { FURTHER_ATTACKS } from './further-attackers.ts';
import { HTTP_ATTACKS } from './http-attackers.ts';

const PACKAGE = { version: 'big-1-r0', pkgarch: 'x' };
const report = (n: number, siginfo: string) =>
  JSON.stringify({
    report: { method: 'm', taskhash: hex(n), outhash: hex(n), unihash: hex(n), outhash_siginfo: siginfo },
  });

export const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  nobody: rest,
  'pipelined pings': () => flood(connected(10, HASH), request('ping', {}).repeat(4000)),
  'unknown commands': () => flood(connected(10, HASH), request('nothing', {}).repeat(4000)),
  'pings of 16 MiB of {}': async () => {
    const bomb = chunked(`{"ping": [${'{},'.repeat((15 * MIB) / 3)}{}]}`);
    while (performance.now() < until) {
      const sockets = connected(4, HASH);
      for (const socket of sockets) socket.write(bomb);
      await wait(500);
      for (const socket of sockets) socket.destroy();
    }
  },
  'lists of numbers': () => flood(connected(4, HASH), chunked(`{"ping": [${'1,'.repeat(2 * MIB)}1]}`)),
  'max-package-pr of a large package': () => flood(connected(6, PR), request('max-package-pr', PACKAGE).repeat(256)),
  'test-pr of a large package': () =>
    flood(connected(6, PR), request('test-pr', { ...PACKAGE, checksum: hex(5), history: false }).repeat(256)),
  'test-package, 1,024 in flight': () => flood(connected(6, PR), request('test-package', PACKAGE).repeat(1024)),
  'get-pr of a large package': () =>
    flood(connected(6, PR), request('get-pr', { ...PACKAGE, checksum: hex(7), history: true }).repeat(64)),
  'answers of 16 MiB, not read': async () => {
    const [writer] = connected(1, HASH);
    writer!.write(chunked(report(1, 's'.repeat(15 * MIB))));
    await wait(1000);
    const sockets = connected(140, HASH, false);
    for (const socket of sockets)
      socket.write(request('get-outhash', { method: 'm', outhash: hex(1), taskhash: hex(1) }));
    await rest();
  },
  'halves of messages, 64 MiB': async () => {
    const half = `{"chunk-stream": null}\n${`${'x'.repeat(32_000)}\n`.repeat(125)}`;
    for (const socket of connected(16, HASH)) socket.write(half);
    await rest();
  },
  'reports of 15 MiB, parked': async () => {
    const sockets = connected(40, HASH);
    for (const [n, socket] of sockets.entries()) socket.write(chunked(report(100 + n, 's'.repeat(15 * MIB))));
    await rest();
  },
  'reports of 8 MiB of accents': async () => {
    const sockets = connected(2, HASH);
    for (const [n, socket] of sockets.entries())
      socket.write(
        chunked(report(200 + n, 'é'.repeat(2 * MIB))) +
          request('get-outhash', { method: 'm', outhash: hex(200), taskhash: hex(200) }).repeat(4),
      );
    await rest();
  },
  'silent handshakes': async () => {
    Array.from({ length: 1500 }, () => connect());
    await rest();
  },
  'short connections': async () => {
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (performance.now() < until) {
          const socket = connect();
          socket.end(HASH + request('ping', {}));
          await new Promise((resolve) => socket.once('close', resolve));
        }
      }),
    );
  },
  'wheres in every order': async () => {
    const columns = ['method', 'taskhash', 'unihash', 'outhash', 'owner', 'PN', 'PV', 'PR', 'task'];
    let block = '';
    for (let n = 0; n < 2000; n++) {
      const some = columns.filter((_, i) => (n >> (i % 11)) & 1).sort(() => Math.random() - 0.5);
      block += request('gc-mark', {
        mark: 'a',
        where: Object.fromEntries(['PN', ...some].map((column) => [column, 'x'])),
      });
    }
    await flood(connected(4, HASH), block);
  },
  'garbage, 8 MiB/s': async () => {
    while (performance.now() < until) {
      const socket = connect();
      socket.write(HASH + 'x'.repeat(60_000) + '\n'.repeat(10));
      socket.write(Buffer.alloc(MIB / 8, 0xff));
      await wait(20);
      socket.destroy();
    }
  },
  ...FURTHER_ATTACKS,
  ...HTTP_ATTACKS,
};

if (process.argv[1] === import.meta.filename) {
  await ATTACKS[process.argv[2]!]!();
  process.exit(0);
}
