import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../../lib/asyncrpc/client/client.ts';
import { hashConversation, prConversation } from '../wire/conversations.ts';
import { keepWindow, PacedClient, withSeed } from '../wire/paced.ts';
import {
  type Context,
  eventually,
  field,
  getPr,
  hash,
  pause,
  report,
  runToEnd,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';
import { statusOf, WITHIN_MS, workersOf } from './workers-helpers.ts';

const CLEAN = { status: 0, signal: null };

function serveTwo(t: Context, folder: string, args: readonly string[] = []): Promise<ServerProcess> {
  return serve(t, { folder, args: ['--workers', '2', ...args] });
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

function pathOf({ addresses: [address] }: ServerProcess): string {
  assert.ok(address?.kind === 'unix');
  return address.path;
}

describe('a server of two workers', () => {
  const cleanUps: (() => void | Promise<void>)[] = [];
  let server: ServerProcess;
  before(async () => {
    const suite: Context = { after: (fn) => void cleanUps.unshift(fn) };
    const args = ['--sync-mode', 'on_shutdown', '--cache-size', '8KiB', '--bind', 'http://127.0.0.1:0'];
    server = await serveTwo(suite, temporaryFolder(suite), args);
  });
  after(async () => {
    for (const each of cleanUps) await each();
  });

  /** Clients of the test before have been seen to go. */
  const left = () => eventually(WITHIN_MS, async () => assert.equal((await statusOf(server)).clients, 0));

  test('answers each client what it asked, over both of them, with requests in flight', () =>
    withSeed(async (random) => {
      const clients = Array.from({ length: 2 }, () => new PacedClient(net.connect(pathOf(server)), random));
      const [hashes, values] = clients as [PacedClient, PacedClient];
      await Promise.all([
        keepWindow(hashes.handshake('OEHASHEQUIV 1.1'), hashConversation(random), 8),
        keepWindow(values.handshake('PRSERVICE 1.0'), prConversation(random), 8),
      ]);
      const workers = await workersOf(server);
      assert.deepEqual(
        workers.map(({ clients }) => clients),
        [1, 1],
      );
      for (const client of clients) client.close();
    }));

  test('gives no PR value twice, and every worker finds what another has answered', async () => {
    await left();
    const clients = await Promise.all(Array.from({ length: 12 }, () => server.pr()));
    const packages = Array.from({ length: 20 }, (_, i) => `recipe-${i}-1.0-r0`);
    const values = await Promise.all(
      clients.map((client, i) => Promise.all(packages.map((version) => getPr(client, version, `checksum-${i}`)))),
    );
    for (const p of packages.keys()) {
      const given = values.map((of) => Number(of[p])).sort((a, b) => a - b);
      assert.deepEqual(given, [...clients.keys()]);
    }
    const hashes = await Promise.all(Array.from({ length: 2 }, () => server.hash()));
    for (let i = 0; i < 20; i++) {
      const name = `task ${i}`;
      const told = await report(hashes[i % 2]!, name);
      assert.equal(await storedUnihash(hashes[(i + 1) % 2]!, name), told);
    }
    for (const client of [...clients, ...hashes]) client.close();
  });

  test('runs jobs in one process, for the clients of all', async () => {
    await left();
    const clients = await Promise.all(Array.from({ length: 2 }, () => server.hash()));
    for (const [i, client] of clients.entries()) {
      const started = await client.invoke('job-start', { kind: 'clean-unused', parameters: { max_age_seconds: i } });
      const id = Number(field(started, 'id'));
      assert.equal(id, i + 1);
      for (const each of clients) assert.equal(field(await each.invoke('job-show', { id }), 'kind'), 'clean-unused');
      await assert.rejects(client.invoke('job-start', { kind: 'none', parameters: {} }), /there is no kind of job/);
    }
    for (const client of clients) client.close();
  });

  test('is one server to status and metrics', async () => {
    await left();
    const [, http] = server.addresses;
    assert.ok(http?.kind === 'http');
    const metrics = async () => (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
    const reports = 'bakeserv_requests_total{service="hashserv",command="report",result="ok"}';
    const figureIn = (text: string, name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))!
          .slice(name.length),
      );
    /** Over time: all of this server's is of the last day. */
    const recorded = async () => {
      const answer = await fetch(`http://127.0.0.1:${http.port}/api/v1/history?span=day`);
      const { series } = (await answer.json()) as { series: { reports: readonly (number | null)[] } };
      return series.reports.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    };
    const counted = figureIn(await metrics(), reports);
    await left();
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.hash()));
    for (const [i, client] of clients.entries()) await report(client, `metric ${i}`);
    const status = await statusOf(server);
    assert.equal(status.clients, 4);
    assert.deepEqual(
      status.workers!.map(({ clients }) => clients),
      [2, 2],
    );
    // Whoever is asked.
    for (let i = 0; i < 4; i++) {
      const text = await metrics();
      assert.equal(figureIn(text, reports), counted + 4);
      assert.equal(figureIn(text, 'bakeserv_workers'), 2);
      assert.equal(await recorded(), counted + 4);
    }
    const [first] = status.workers!;
    process.kill(first!.pid, 'SIGKILL');
    // Looked at by status first: each scrape costs both workers something that the one that starts needs.
    await eventually(WITHIN_MS, async () => {
      const now = await workersOf(server);
      assert.ok(now.length === 2 && !now.some(({ pid }) => pid === first!.pid), 'not replaced');
    });
    await eventually(WITHIN_MS, async () => {
      const text = await metrics();
      assert.equal(figureIn(text, 'bakeserv_worker_replacements_total'), 1);
      assert.equal(figureIn(text, reports), counted + 4, 'a counter goes back');
      assert.equal(await recorded(), counted + 4, 'a bucket goes back, or counts a worker twice');
      assert.equal(figureIn(text, 'bakeserv_workers'), 2);
    });
  });
});

describe('a server of two workers with few places', () => {
  const connected = (t: Context, count: number, connect: () => net.Socket) => {
    const sockets = Array.from({ length: count }, () => connect().on('error', () => {}));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    // One that never says a word has a place all the same, once.
    for (const socket of sockets) socket.resume();
    return sockets;
  };
  const open = (sockets: readonly net.Socket[]) => sockets.filter((socket) => !socket.closed);

  test('lets in no more clients, and no more from an address, than a single process would, and says so', async (t) => {
    const ports = ['127.0.0.1:0', '127.0.0.1:0,proxy-protocol'].flatMap((bind) => ['--bind', bind]);
    const few = [
      '--max-connections',
      '12',
      '--max-connections-per-address',
      '3',
      '--trust-proxy',
      '127.0.0.8,127.0.0.9',
      '--handshake-timeout',
      '60',
    ];
    const server = await serveTwo(t, temporaryFolder(t), [...few, ...ports]);
    const [, plain, proxied] = server.addresses as readonly { port: number }[];
    const from = (localAddress: string, to = plain!) =>
      connected(t, 5, () => net.connect({ port: to.port, host: '127.0.0.1', localAddress }));
    const settled = (sockets: readonly net.Socket[], clients: number, refused: number) =>
      eventually(WITHIN_MS, async () => {
        assert.equal(sockets.length - open(sockets).length, refused);
        assert.equal((await statusOf(server)).clients, clients);
      });
    // The workers count for themselves too: what one of them would still let in, the server does not.
    const near = from('127.0.0.1');
    await settled(near, 3, 2);
    await server.logged(/connection limit of an address reached: refused peer=127\.0\.0\.1:\d+ limit=3/);
    // Not behind the header of a proxy either, where nobody says who is there.
    const unnamed = from('127.0.0.8');
    await settled(unnamed, 6, 2);
    // A proxy that names its clients stands for more than one address may have.
    const behind = from('127.0.0.9', proxied!);
    const answered = behind.map((socket) => once(socket, 'data'));
    for (const [i, socket] of behind.entries())
      socket.write(
        `PROXY TCP4 203.0.113.${i} 127.0.0.1 5000 8585\r\nOEHASHEQUIV 1.1\nneeds-headers: false\n\n{"ping": {}}\n`,
      );
    await Promise.all(answered);
    await settled(behind, 11, 0);
    console.error(
      'L',
      [near, unnamed, behind].map((x) => open(x).length),
      server.stderr(),
    );
    const local = connected(t, 3, () => net.connect(pathOf(server)));
    await settled(local, 12, 2);
    await server.logged(/connection limit reached: refused peer=unix limit=12/);
    open(near)[0]!.destroy();
    // Its place is free once its worker has noticed.
    await eventually(WITHIN_MS, async () => assert.equal((await statusOf(server)).clients, 11));
    assert.deepEqual(await (await server.hash()).invoke('ping', {}), { alive: true });
  });
});

/** Reports one task after the other until told to stop; goes on when a connection is lost. */
function keepReporting(t: Context, clients: readonly Client[]) {
  const answered: string[] = [];
  let stopped = false;
  const work = async (client: Client, n: number) => {
    for (let i = 0; !stopped; i++) {
      try {
        await report(client, `load ${n} ${i}`);
        answered.push(`load ${n} ${i}`);
      } catch {
        await pause();
      }
    }
  };
  const working = Promise.all(clients.map(work));
  t.after(() => {
    stopped = true;
  });
  return {
    answered,
    /** Resolves when so many more are answered. */
    async further(count: number) {
      const from = answered.length;
      await eventually(WITHIN_MS, async () => assert.ok(answered.length >= from + count, 'too few'));
    },
    async stop() {
      stopped = true;
      for (const client of clients) client.close();
      await working;
    },
  };
}

/** Which of the tasks that were answered are not in the database of a server that has ended. */
async function lostOf(t: Context, folder: string, answered: readonly string[]): Promise<readonly string[]> {
  const database = await openOther(t, path.join(folder, 'hashserv.db'));
  const rows = await database.all<{ taskhash: string }>('SELECT taskhash FROM unihashes_v3');
  const stored = new Set(rows.map(({ taskhash }) => taskhash));
  return answered.filter((name) => !stored.has(hash(`t${name}`)));
}

test('a worker that is killed under load costs its own connections only, is replaced, and whoever comes again is served', async (t) => {
  const folder = temporaryFolder(t);
  const server = await serveTwo(t, folder);
  const idle = Array.from({ length: 6 }, () => net.connect(pathOf(server)).on('error', () => {}));
  t.after(() => {
    for (const socket of idle) socket.destroy();
  });
  const closed = new Set<net.Socket>();
  // Without a handshake they would not be left in peace for long.
  for (const socket of idle) {
    socket.write('OEHASHEQUIV 1.1\nneeds-headers: false\n\n');
    socket.resume().once('close', () => closed.add(socket));
  }
  await eventually(WITHIN_MS, async () => assert.equal((await statusOf(server)).clients, 6));
  const load = keepReporting(t, await Promise.all(Array.from({ length: 4 }, () => server.hash())));
  await load.further(20);
  const before = await workersOf(server);
  const [victim, other] = [1, 2].map((n) => before.find(({ worker }) => worker === n)!);
  process.kill(victim!.pid, 'SIGKILL');
  await server.logged(/a worker has ended: another takes its place worker=1 why=ended by SIGKILL/);
  await eventually(WITHIN_MS, async () => {
    const now = await workersOf(server);
    assert.equal(now.find(({ worker }) => worker === 2)!.pid, other!.pid);
    assert.ok(
      now.some(({ worker, pid }) => worker === 1 && pid !== victim!.pid),
      'not replaced',
    );
  });
  // Three of the six were its own, and nobody else has lost anything.
  await eventually(WITHIN_MS, async () => assert.equal(closed.size, 3));
  const again = await Promise.all(Array.from({ length: 4 }, () => server.hash()));
  for (const client of again) assert.deepEqual(await client.invoke('ping', {}), { alive: true });
  await load.further(20);
  assert.equal(closed.size, 3);
  await load.stop();
  assert.deepEqual(await server.stop(), CLEAN);
  assert.deepEqual(await lostOf(t, folder, load.answered), []);
});

describe('the end of a server of two workers', () => {
  test('by SIGTERM: every answered write is stored, status 0, and nothing is left behind', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serveTwo(t, folder);
    const load = keepReporting(t, await Promise.all(Array.from({ length: 4 }, () => server.hash())));
    await load.further(20);
    const workers = await workersOf(server);
    assert.deepEqual(await server.stop(), CLEAN);
    await load.stop();
    for (const { pid } of workers) assert.equal(isAlive(pid), false);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['bakeserv-figures', 'hashserv.db', 'prserv.db']);
    assert.deepEqual(await lostOf(t, folder, load.answered), []);
  });

  test('by SIGKILL of the process that leads: the workers end by themselves', async (t) => {
    const server = await serveTwo(t, temporaryFolder(t));
    await server.hash();
    const workers = await workersOf(server);
    assert.equal(workers.length, 2);
    server.child.kill('SIGKILL');
    for (const { pid } of workers) await eventually(WITHIN_MS, async () => assert.equal(isAlive(pid), false));
  });

  test('signals that a terminal sends to all of them stop it once, with every answer', async (t) => {
    const server = await serveTwo(t, temporaryFolder(t));
    const client = await server.hash();
    const workers = await workersOf(server);
    for (const { pid } of workers) process.kill(pid, 'SIGINT');
    assert.deepEqual(await client.invoke('ping', {}), { alive: true });
    assert.deepEqual(await server.stop('SIGINT'), CLEAN);
  });

  test('a file that is no database ends it at the start, with one clear error and the status of a single process', async (t) => {
    const folder = temporaryFolder(t);
    fs.writeFileSync(
      path.join(folder, 'hashserv.db'),
      'no database at all, but long enough to be read as one'.repeat(40),
    );
    const own = ['--hashserv-db', path.join(folder, 'hashserv.db'), '--prserv-db', path.join(folder, 'prserv.db')];
    const args = ['serve', '--bind', `unix://${folder}/s`, ...own];
    const single = await runToEnd(args, folder);
    const two = await runToEnd([...args, '--workers', '2'], folder);
    const errors = ({ stderr }: { stderr: string }) =>
      stderr.split('\n').filter((line) => line && !/ info: /.test(line));
    assert.equal(two.status, single.status);
    assert.deepEqual(errors(two), errors(single));
    assert.equal(errors(two).length, 1);
  });

  test('an address that is taken ends it at the start, and no worker stays', async (t) => {
    const folder = temporaryFolder(t);
    const first = await serve(t, { folder: temporaryFolder(t) });
    const own = ['--hashserv-db', path.join(folder, 'hashserv.db'), '--prserv-db', path.join(folder, 'prserv.db')];
    const run = await runToEnd(['serve', '--workers', '2', '--bind', `unix://${pathOf(first)}`, ...own], folder);
    assert.match(run.stderr, /another server is listening there/);
    assert.equal(run.status, 1);
  });
});
