import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Address, formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { SILENT } from '../../lib/log.ts';
import { startServer } from '../../lib/server.ts';
import { configIn, temporaryFolder, WireClient } from './helpers.ts';

/** Ten a second are written: far more than a busy machine makes of it, far fewer than there are connections. */
const MOST_LINES = 100;

const LISTENERS: readonly (readonly [kind: string, bind: (folder: string) => Address])[] = [
  ['TCP', () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 })],
  ['a Unix socket', (folder) => ({ kind: 'unix', path: path.join(folder, 's') })],
];

/** Keeps the sockets that listeners make for themselves. */
function watchServers(t: TestContext): net.Server[] {
  const servers: net.Server[] = [];
  const create = net.createServer.bind(net) as (options: net.ServerOpts) => net.Server;
  t.mock.method(net, 'createServer', (options: net.ServerOpts) => {
    servers.push(create(options));
    return servers.at(-1)!;
  });
  return servers;
}

for (const [kind, bind] of LISTENERS) {
  test(`connections that cannot be accepted on ${kind} are a few log lines, and the listener goes on`, async (t) => {
    const servers = watchServers(t);
    const folder = temporaryFolder(t);
    const lines: string[] = [];
    const log = { ...SILENT, error: (message: string) => void lines.push(message) };
    const server = await startServer(configIn(folder, { bind: [formatAddress(bind(folder))] }), log);
    t.after(() => server.close());
    // Whoever takes a Unix socket path listens on a socket of its own until it has it (path-claim.ts).
    const listening = servers.filter((each) => each.listening);
    assert.equal(listening.length, 1);
    // As Node.js reports accept(2) without a descriptor to spare: an event for each connection.
    const failure = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' });
    for (let i = 0; i < 1000; i++) listening[0]!.emit('error', failure);
    assert.ok(lines.length > 0 && lines.length <= MOST_LINES, `${lines.length} lines`);
    assert.equal(lines[0], 'listener failed');

    const { address } = server.listeners[0]!;
    const at = address.kind === 'unix' ? { path: address.path } : { host: '127.0.0.1', port: address.port };
    const client = new WireClient(net.connect(at)).handshake();
    t.after(() => client.close());
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });
}
