import fs from 'node:fs';
import path from 'node:path';
import { countedBy } from './postgres.ts';
import { load } from './processes.ts';
import { type Server, startBakeserv } from './servers.ts';

/** The installation of docs/scaling.md, by which this one is smaller. */
export const SHARE = 100;
const BUILDERS = 1000 / SHARE;
const LOOKUPS = 10_000;
const MINUTE_S = 60;
const REPORTS = (50 * MINUTE_S) / SHARE;
const SERVERS = 2;
/** Lines of a builder that are under way together. */
const DEPTH = 64;

/** A line of the table: what it is, and what was found. */
export type Finding = readonly [what: string, value: string];

/**
 * One minute of the installation: on two servers and one database. Every answer is compared with its request, and each
 * server is asked for what the other one stored.
 * @param hashes that the database has
 * @throws Error when an answer is wrong, or a report is not found
 */
export async function simulate(folder: string, address: string, hashes: number): Promise<Finding[]> {
  const servers: Server[] = [];
  try {
    for (let i = 0; i < SERVERS; i++) {
      const own = path.join(folder, `simulated-${i}`);
      fs.mkdirSync(own);
      servers.push(await startBakeserv({ folder: own, database: address, prDatabase: address }));
    }
    const before = await countedBy(address);
    const cpuBefore = servers.map((server) => server.work().cpuMs);
    const began = performance.now();
    const perServer = (BUILDERS * LOOKUPS) / SERVERS;
    const keys = Math.min(perServer, hashes);
    const shape = { connections: BUILDERS / SERVERS, depth: DEPTH };
    const one = { connections: 1, depth: 1 };
    const newKeys = (i: number) => ({
      offset: hashes + i * REPORTS,
      keys: REPORTS / SERVERS,
      requests: REPORTS / SERVERS,
    });
    const [lookups, reports] = await Promise.all([
      Promise.all(
        servers.map(({ address: at }) =>
          load(at, null, { mode: 'get', shape, offset: 0, keys, requests: perServer, seconds: MINUTE_S }),
        ),
      ),
      Promise.all(servers.map(({ address: at }, i) => load(at, null, { mode: 'report', shape: one, ...newKeys(i) }))),
    ]);
    const seconds = (performance.now() - began) / 1000;
    const asked = lookups.reduce((sum, { hits }) => sum + hits, 0);
    if (asked !== BUILDERS * LOOKUPS)
      throw new Error(`${asked} of ${BUILDERS * LOOKUPS} look-ups were answered with a unihash`);
    for (const [i, { address: at }] of servers.entries()) {
      const theirs = newKeys((i + 1) % SERVERS);
      const { hits } = await load(at, null, { mode: 'get', shape: one, ...theirs });
      if (hits !== theirs.requests)
        throw new Error(`a server knows ${hits} of ${theirs.requests} reports to the other`);
    }
    const after = await countedBy(address);
    const cpu = servers.map((server, i) => server.work().cpuMs - cpuBefore[i]!);
    const slowest = Math.max(...lookups.map((each) => each.seconds));
    const whole = (n: number) => Math.round(n).toLocaleString('en-US');
    const worst = (of: readonly { p99_us: number }[]) =>
      (Math.max(...of.map(({ p99_us }) => p99_us)) / 1000).toFixed(1);
    return [
      ['builders, on two servers', whole(BUILDERS)],
      ['look-ups, each compared with its request', whole(asked)],
      ['they took, of the 60 s', `${slowest.toFixed(2)} s`],
      ['look-ups a second', whole(asked / slowest)],
      ['p99 of a look-up, with 64 of each builder under way', `${worst(lookups)} ms`],
      ['reports meanwhile, each found on the other server', whole(reports.reduce((sum, { hits }) => sum + hits, 0))],
      ['p99 of a report', `${worst(reports)} ms`],
      ['connections to the database', whole(after.connections)],
      ['transactions, look-ups in batches included', whole(after.transactions - before.transactions)],
      ['rows stored', whole(after.rows - before.rows)],
      ['write-ahead log', `${whole((after.walBytes - before.walBytes) / 1024)} KiB`],
      [
        'processor time of the servers',
        `${cpu.map((ms) => (ms / 1000).toFixed(2)).join(' and ')} s, in ${seconds.toFixed(1)} s`,
      ],
    ];
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
