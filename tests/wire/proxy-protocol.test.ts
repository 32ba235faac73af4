import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import type { Limits } from '../../lib/asyncrpc/limits.ts';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { selfCheck } from '../../lib/cli/commands/self-check.ts';
import { startServer } from '../../lib/server.ts';
import { LOCAL, rawVersion2, UNIX_CLIENT, version1, version2 } from '../proxy-headers.ts';
import { configIn, refusal, temporaryFolder, WireClient } from './helpers.ts';
import { type RecordedLog, recordLog } from './log-recorder.ts';
import { FrameClient } from './websocket-helpers.ts';

const PINGED = { alive: true };
const client = (address: string) => ({ address, port: 4711 });

interface Doors {
  readonly server: Awaited<ReturnType<typeof startServer>>;
  readonly log: RecordedLog;
  readonly folder: string;
  port(at: number): number;
  /** A connection to a listener, hung up after the test. */
  dial(at: number): net.Socket;
  /** A client behind a header, whose handshake comes in the same packet. */
  connect(at: number, header: Buffer): WireClient;
}

async function start(
  t: TestContext,
  bind: readonly string[],
  flags: Record<string, unknown> = {},
  limits: Partial<Limits> = {},
): Promise<Doors> {
  const after: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const at = bind.map((each) => each.replace('FOLDER', folder));
  const settings = { bind: at, 'trust-proxy': ['127.0.0.1', 'unix'], 'sync-mode': 'on_shutdown', ...flags };
  const log = recordLog();
  const server = await startServer(configIn(folder, settings, limits), log.log);
  const sockets: net.Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
    for (const fn of after) fn();
  });
  const dial = (listener: number) => {
    const { address } = server.listeners[listener]!;
    const socket = address.kind === 'unix' ? net.connect(address.path) : net.connect(address.port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    return socket;
  };
  return {
    server,
    log,
    folder,
    port: (listener) => (server.listeners[listener]!.address as { port: number }).port,
    dial,
    connect(listener, header) {
      const opened = new WireClient(dial(listener));
      opened.send(Buffer.concat([header, Buffer.from('OEHASHEQUIV 1.1\n\n')]));
      return opened;
    },
  };
}

/** Whether a client without a login has @db-admin. */
async function isLocal(each: Pick<WireClient, 'ask'>): Promise<boolean> {
  const reply = await each.ask('reset-stats', null);
  if (!(reply as { requests?: unknown }).requests) assert.match(refusal(reply), /@db-admin/);
  return !!(reply as { requests?: unknown }).requests;
}

const PROXIED = '127.0.0.1:0,proxy-protocol';

describe('a listener with proxy-protocol', () => {
  test('has the client that a header of either version names, on TCP and on a Unix socket', async (t) => {
    const { connect } = await start(t, [PROXIED, 'unix://FOLDER/s,proxy-protocol']);
    for (const door of [0, 1]) {
      const named = async (header: Buffer) => isLocal(connect(door, header));
      for (const write of [version1, version2]) {
        assert.equal(await named(write(client('127.0.0.1'))), true);
        assert.equal(await named(write(client('::1'))), true);
        assert.equal(await named(write(client('203.0.113.9'))), false);
        assert.equal(await named(write(client('2001:db8::9'))), false);
      }
      assert.equal(await named(UNIX_CLIENT), true, 'on the machine of the proxy, which is this one');
    }
  });

  test('gives no rights of an administrator to the proxy itself, nor to a client that it does not know', async (t) => {
    const { connect } = await start(t, [PROXIED, 'unix://FOLDER/s,proxy-protocol']);
    for (const header of [LOCAL, rawVersion2(1, 0, Buffer.alloc(0)), Buffer.from('PROXY UNKNOWN\r\n')]) {
      for (const door of [0, 1]) {
        const each = connect(door, header);
        assert.deepEqual(await each.ask('ping', {}), PINGED, 'a health check is answered');
        assert.equal(await isLocal(each), false);
      }
    }
  });

  test('has no local clients of a proxy on another machine', async (t) => {
    // Which a listener on all interfaces cannot tell from one on this machine.
    const { connect } = await start(t, ['0.0.0.0:0,proxy-protocol']);
    assert.equal(await isLocal(connect(0, version2(client('127.0.0.1')))), false);
    assert.equal(await isLocal(connect(0, UNIX_CLIENT)), false);
  });

  test('takes the header, and what follows it, in pieces of any size', async (t) => {
    const { dial } = await start(t, [PROXIED]);
    const begun = Buffer.from('OEHASHEQUIV 1.1\n\n{"ping": {}}\n{"reset-stats": null}\n');
    const header = fc.oneof(
      fc.constantFrom('127.0.0.1', '203.0.113.9', '2001:db8::9').map((address) => version1(client(address))),
      fc.constant(version2(client('203.0.113.9'), [[1, Buffer.alloc(500)]], true)),
    );
    await fc.assert(
      fc.asyncProperty(header, fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 6 }), async (start, cuts) => {
        const bytes = Buffer.concat([start, begun]);
        const socket = dial(0).setNoDelay();
        const answers = new WireClient(socket);
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          socket.write(bytes.subarray(at, at + cut));
          at += cut;
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.deepEqual(await answers.message(), PINGED);
        const reply = JSON.stringify(await answers.message());
        assert.match(reply, start.includes('127.0.0.1') ? /requests/ : /@db-admin/);
        answers.close();
      }),
      { numRuns: 40 },
    );
    const bytes = Buffer.concat([version1(client('203.0.113.9')), begun]);
    const slow = new WireClient(dial(0).setNoDelay());
    for (const byte of bytes) {
      slow.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await slow.message(), PINGED);
  });

  test('refuses whoever is no trusted proxy, logs it and counts it', async (t) => {
    const { connect, log, server } = await start(t, [PROXIED], { 'trust-proxy': '192.0.2.1' });
    assert.equal(await connect(0, version1(client('127.0.0.1'))).line(), null);
    assert.match(await log.line(/not one of/), /^warn not one of --trust-proxy: refused peer=127\.0\.0\.1:\d+$/);
    assert.equal(server.hub.refusals.get('not one of --trust-proxy: refused'), 1);
    assert.equal(server.hub.size, 0);
  });

  test('refuses a connection without a good header, or with half of one, and says why in the log', async (t) => {
    const { connect, dial, log, server } = await start(t, [PROXIED], {}, { handshakeTimeoutMs: 300 });
    const plain = new WireClient(dial(0)).handshake();
    assert.equal(await plain.line(), null);
    assert.match(await log.line(/no good PROXY header/), /why=it does not begin with a PROXY protocol header/);
    assert.equal(await connect(0, rawVersion2(2, 0x11, Buffer.alloc(12))).line(), null);
    await log.line(/why=it has the unknown command 2/);
    const half = dial(0);
    half.end(version2(client('203.0.113.9')).subarray(0, 20));
    await log.line(/why=it broke off/);
    const silent = new WireClient(dial(0));
    const slow = new WireClient(dial(0));
    slow.send(version1(client('203.0.113.9')).subarray(0, 20));
    assert.deepEqual([await silent.line(), await slow.line()], [null, null]);
    await log.line(/why=it did not come in time/);
    assert.equal(server.hub.refusals.get('no good PROXY header: refused'), 5);
    while (server.hub.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('counts the header to the time of the handshake', async (t) => {
    const { dial } = await start(t, [PROXIED], {}, { handshakeTimeoutMs: 300 });
    const named = new WireClient(dial(0));
    named.send(version1(client('203.0.113.9')));
    assert.match(refusal(await named.message()), /no complete handshake within 0.3 s/);
    assert.equal(await named.line(), null);
  });

  test('counts clients by their own address, and logs it', async (t) => {
    const users = { 'admin-user': 'admin', 'admin-password': 'secret', 'login-failure-delay': '0.001' };
    const { connect, log } = await start(t, [PROXIED], users, { maxConnectionsPerAddress: 2 });
    const addresses = ['203.0.113.1', '203.0.113.2', '2001:db8::1'];
    const clients = addresses.flatMap((each) => [0, 1].map(() => connect(0, version2(client(each)))));
    for (const each of clients) assert.deepEqual(await each.ask('ping', {}), PINGED);
    // The whole /64 is one client.
    assert.equal(await connect(0, version2(client('2001:db8::2'))).line(), null);
    assert.match(await log.line(/limit of an address/), /peer=2001:db8::2:4711 limit=2/);
    clients[0]!.close();
    let back: unknown = null;
    while (back === null) {
      const again = connect(0, version2(client('203.0.113.1')));
      again.send('{"ping": {}}\n');
      back = await again.line();
    }
    await clients[2]!.ask('auth', { username: 'admin', token: 'wrong' });
    assert.match(await log.line(/login refused/), /peer=203\.0\.113\.2:4711/);
  });

  test('is not kept busy by a thousand halves of headers, nor are the other doors', async (t) => {
    const { connect, dial, server } = await start(t, [PROXIED, 'unix://FOLDER/s', '127.0.0.1:0']);
    const half = version2(client('203.0.113.9')).subarray(0, 20);
    const halves = Array.from({ length: 1000 }, () => dial(0));
    const lost = halves.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of halves) socket.write(half);
    // All that came: on a slow machine the oldest go before the last has come.
    const halfOpen = server.hub.figures.listeners.get(formatAddress(server.listeners[0]!.address))!;
    while (halfOpen.accepted < 1000) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) {
      const through = connect(0, version1(client('203.0.113.1')));
      assert.deepEqual(await through.ask('ping', {}), PINGED);
      assert.deepEqual(await new WireClient(dial(1)).handshake().ask('ping', {}), PINGED);
      assert.deepEqual(await new WireClient(dial(2)).handshake().ask('ping', {}), PINGED);
      through.close();
    }
    // Past the limit of slow handshakes of an address the oldest go.
    const { maxHandshakesPerAddress } = configIn('/nowhere').limits;
    await Promise.all(lost.slice(0, 1000 - maxHandshakesPerAddress));
    assert.equal(halves.at(-1)!.readyState, 'open');
  });

  test('that stops does not wait for headers', async (t) => {
    const { dial, server } = await start(t, [PROXIED], {}, { drainTimeoutMs: 600_000, handshakeTimeoutMs: 600_000 });
    const silent = new WireClient(dial(0));
    while (server.hub.size < 1) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    assert.equal(await silent.line(), null);
  });
});

describe('a WebSocket behind a proxy', () => {
  /** A client that has sent the header, where there is one, below its upgrade. */
  async function frames(doors: Doors, at: number, header: Buffer | null, headers: Record<string, string> = {}) {
    const createConnection = () => {
      const socket = doors.dial(at);
      if (header) socket.write(header);
      return socket;
    };
    return FrameClient.open(`ws://127.0.0.1:${doors.port(at)}/ws`, { createConnection, headers });
  }
  const spoofs = ['127.0.0.1', '::1', '127.0.0.1, 127.0.0.1', '[::1]:1'];

  test('has the address that X-Forwarded-For ends with, whatever the client put before it', async (t) => {
    const doors = await start(t, ['ws://127.0.0.1:0'], { 'admin-user': 'admin', 'admin-password': 'secret' });
    const through = (forwarded: string) => frames(doors, 0, null, { 'x-forwarded-for': forwarded });
    assert.equal(await isLocal(await through('127.0.0.1')), true);
    for (const spoof of spoofs) assert.equal(await isLocal(await through(`${spoof}, 203.0.113.9`)), false, spoof);
    for (const garbage of ['unknown', '127.0.0.1, unknown', ''])
      assert.equal(await isLocal(await through(garbage)), false, garbage);
    assert.equal(await isLocal(await frames(doors, 0, null)), false, 'a proxy that names nobody');
    await (await through('127.0.0.1, 203.0.113.9')).ask('auth', { username: 'admin', token: 'wrong' });
    assert.match(await doors.log.line(/login refused/), /peer=203\.0\.113\.9 /);
  });

  test('is not believed where the proxy is not trusted', async (t) => {
    const doors = await start(t, ['ws://127.0.0.1:0'], { 'trust-proxy': '192.0.2.1' });
    for (const spoof of spoofs)
      assert.equal(await isLocal(await frames(doors, 0, null, { 'x-forwarded-for': spoof })), false, spoof);
    assert.equal(await isLocal(await frames(doors, 0, null)), true, 'as on every loopback address');
  });

  test('is counted by its own address from the upgrade on', async (t) => {
    const doors = await start(t, ['ws://127.0.0.1:0'], {}, { maxConnectionsPerAddress: 2 });
    const through = (address: string) => frames(doors, 0, null, { 'x-forwarded-for': address });
    for (const address of ['203.0.113.1', '203.0.113.1', '203.0.113.2'])
      assert.deepEqual(await (await through(address)).ask('ping', {}), PINGED);
    const third = new FrameClient(`ws://127.0.0.1:${doors.port(0)}/`, {
      headers: { 'x-forwarded-for': '203.0.113.1' },
    });
    await third.closed;
    assert.match(await doors.log.line(/limit of an address/), /peer=203\.0\.113\.1 limit=2/);
    assert.equal(doors.server.hub.size, 3);
  });

  test('may have a PROXY protocol header below it, and a trusted proxy above that', async (t) => {
    const doors = await start(t, ['ws://127.0.0.1:0,proxy-protocol'], { 'trust-proxy': '127.0.0.1,10.0.0.0/8' });
    const local = version2(client('127.0.0.1'));
    const far = version1(client('203.0.113.9'));
    const inner = version2(client('10.0.0.7'));
    assert.equal(await isLocal(await frames(doors, 0, local)), true);
    for (const spoof of spoofs)
      for (const header of [far, inner])
        assert.equal(await isLocal(await frames(doors, 0, header, { 'x-forwarded-for': spoof })), false, spoof);
    const users = await frames(doors, 0, inner, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' });
    await users.ask('auth', { username: 'nobody', token: 'wrong' });
    assert.match(await doors.log.line(/login refused/), /peer=203\.0\.113\.7 /);
    const plain = new WebSocket(`ws://127.0.0.1:${doors.port(0)}/`);
    await assert.rejects(new Promise((_, reject) => plain.on('error', reject)), /socket hang up/);
  });
});

test('a raw stream from the address of a trusted proxy is not local; the Unix socket beside it is', async (t) => {
  const { dial } = await start(t, ['127.0.0.1:0', 'unix://FOLDER/s']);
  assert.equal(await isLocal(new WireClient(dial(0)).handshake()), false);
  assert.equal(await isLocal(new WireClient(dial(1)).handshake()), true);
});

test('the lines at the start say what clients behind a proxy may do', async (t) => {
  const { log } = await start(t, [
    PROXIED,
    'ws://127.0.0.1:0',
    '127.0.0.1:0',
    'unix://FOLDER/s',
    '0.0.0.0:0,proxy-protocol',
  ]);
  const lines = log.lines.filter((line) => /listening on/.test(line));
  const remote = /without a login @read,@report;.* removing refused/;
  const named = /; clients of this machine, if the proxy says so, @read,@report,@db-admin$/;
  for (const at of [0, 1, 2, 4]) assert.match(lines[at]!, remote);
  for (const at of [0, 1]) assert.match(lines[at]!, named);
  for (const at of [2, 3, 4]) assert.doesNotMatch(lines[at]!, named);
  assert.match(lines[3]!, /without a login @read,@report,@db-admin;.* removing too/);
});

test('--self-check and status --check ask such a listener as its proxy does', async (t) => {
  const { server } = await start(t, [PROXIED, 'unix://FOLDER/s,proxy-protocol', 'ws://127.0.0.1:0,proxy-protocol']);
  const said = await Promise.all(server.listeners.map(({ address, report }) => selfCheck(address, report)));
  for (const at of [0, 1]) {
    assert.match(said[at]!, /OEHASHEQUIV 1\.1: \{"ping": \{\}\} -> \{"alive": ?true\}/);
    assert.match(said[at]!, /PRSERVICE 1\.0: \{"ping": \{\}\} -> \{"alive": ?true\}/);
  }
  assert.match(said[2]!, /OEHASHEQUIV 1\.1: .* -> it is for proxies only; PRSERVICE/);

  const elsewhere = await start(t, [PROXIED], { 'trust-proxy': ['203.0.113.1'] });
  const [{ address, report }] = elsewhere.server.listeners as [(typeof elsewhere.server.listeners)[0]];
  assert.match(await selfCheck(address, report), /-> it is for proxies only/);
  await elsewhere.server.close();
  await assert.rejects(selfCheck(address, report), /nobody is listening/);
});
