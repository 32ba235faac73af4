import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { createHome, type Home, LAUNCHER, output } from './home-helpers.ts';

/** A listening socket to hand over. */
interface Handed {
  readonly fd: number;
  readonly port: number;
  /** From now on only whoever it was handed to accepts. */
  leave(): Promise<void>;
}

/** @param where a port of 127.0.0.1, or a path */
async function listening(t: TestContext, where: string | number): Promise<Handed> {
  const server = net.createServer();
  await new Promise<void>((resolve) =>
    typeof where === 'number' ? server.listen(where, '127.0.0.1', resolve) : server.listen(where, resolve),
  );
  t.after(() => void server.close());
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return {
    fd,
    port: (server.address() as net.AddressInfo).port,
    async leave() {
      // Closing removes the socket file: another name keeps it.
      if (typeof where === 'string') fs.linkSync(where, `${where}.kept`);
      await new Promise((resolve) => server.close(resolve));
      if (typeof where === 'string') fs.renameSync(`${where}.kept`, where);
    },
  };
}

/** A server that is handed sockets as systemd does it. */
async function start(
  t: TestContext,
  home: Home,
  sockets: readonly Handed[],
  names: string | undefined,
  settings: string,
): Promise<ChildProcess> {
  fs.writeFileSync(path.join(home.folder, 'bakeserv.yaml'), settings);
  const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, LAUNCHER, 'serve'], {
    cwd: home.folder,
    env: { ...home.env, LISTEN_FDS: String(sockets.length), ...(names !== undefined && { LISTEN_FDNAMES: names }) },
    stdio: ['ignore', 'pipe', 'pipe', ...sockets.map(({ fd }) => fd)],
  });
  t.after(() => void child.kill('SIGKILL'));
  for (const socket of sockets) await socket.leave();
  return child;
}

const LISTENERS = `bind:
  - address: unix:///not/used
    name: builders
  - address: ":1"
    name: everybody
    read-only: true
  - address: ws://0.0.0.0:1
    name: world
    services: hashserv
    anon-perms: "@read"
`;

async function mark(address: string): Promise<unknown> {
  const client = await connectClient(parseAddress(address), { protocol: 'OEHASHEQUIV 1.1' });
  try {
    return await client.invoke('gc-mark', { mark: 'm', where: {} });
  } finally {
    client.close();
  }
}

describe('a socket of a service manager', { concurrency: true }, () => {
  test('has the rights, and speaks the protocol, of the listener of its name', async (t) => {
    const home = createHome(t);
    const file = path.join(home.folder, 'handed.sock');
    const sockets = [await listening(t, file), await listening(t, 0), await listening(t, 0), await listening(t, 0)];
    // Two sockets of one unit have one name.
    const child = await start(t, home, sockets, 'builders:everybody:world:everybody', LISTENERS);
    const stderr = output(child, /listening on ws:/, 'stderr');
    const [, first, web, second] = sockets.map(({ port }) => port);
    assert.equal(
      await output(child, new RegExp(`127.0.0.1:${second}\\n`)),
      `listening unix://${file}\nlistening 127.0.0.1:${first}\nlistening ws://127.0.0.1:${web}\nlistening 127.0.0.1:${second}\n`,
    );
    assert.deepEqual(await mark(`unix://${file}`), { count: 0 });
    for (const port of [first, second]) await assert.rejects(mark(`127.0.0.1:${port}`), /read-only/);
    await assert.rejects(mark(`ws://127.0.0.1:${web}`), /Anonymous user is not allowed/);
    const prs = connectClient(parseAddress(`ws://127.0.0.1:${web}`), { protocol: 'PRSERVICE 1.0' });
    await assert.rejects(prs.then((client) => client.invoke('ping', {})));
    assert.doesNotMatch(await stderr, / warn: .*socket/);
  });

  test('is accepted from by the process that leads several, and by none of these', async (t) => {
    const home = createHome(t);
    const sockets = [await listening(t, path.join(home.folder, 'handed.sock')), await listening(t, 0)];
    const child = await start(t, home, sockets, 'builders:everybody', `workers: 2\n${LISTENERS}`);
    const port = sockets[1]!.port;
    await output(child, new RegExp(`127.0.0.1:${port}\\n`));
    // To each worker in turn.
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await mark(`unix://${home.folder}/handed.sock`), { count: 0 });
      await assert.rejects(mark(`127.0.0.1:${port}`), /read-only/);
    }
    const [status] = await home.servers();
    assert.equal(status!.workers!.length, 2);
    const listens = (pid: number) =>
      fs
        .readdirSync(`/proc/${pid}/fd`)
        .flatMap((fd) => /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [])
        .filter((inode) =>
          new RegExp(`:${port.toString(16).padStart(4, '0').toUpperCase()} \\S+ 0A .* ${inode} `).test(
            fs.readFileSync('/proc/net/tcp', 'utf8'),
          ),
        );
    assert.equal(listens(status!.pid).length, 1);
    for (const { pid } of status!.workers!) assert.deepEqual(listens(pid), []);
  });

  test('is an HTTP listener where the listener of its name is one', async (t) => {
    const home = createHome(t);
    const socket = await listening(t, 0);
    const child = await start(t, home, [socket], 'health', 'bind:\n  - address: http://0.0.0.0:1\n    name: health\n');
    assert.equal(await output(child, /\n/), `listening http://127.0.0.1:${socket.port}\n`);
    const { status } = await fetch(`http://127.0.0.1:${socket.port}/healthz`);
    assert.equal(status, 200);
  });

  test('that nobody named, or that no listener is named like, has the general rights and is said in the log', async (t) => {
    for (const names of [undefined, 'bakeserv.socket:unknown', 'everybody', 'everybody:everybody:everybody']) {
      const home = createHome(t);
      const [a, b] = [await listening(t, 0), await listening(t, 0)];
      const child = await start(t, home, [a, b], names, `${LISTENERS}anon-perms: "@read,@db-admin"\n`);
      const stderr = await output(child, new RegExp(`listening on 127.0.0.1:${b.port}`), 'stderr');
      for (const { port } of [a, b]) assert.deepEqual(await mark(`127.0.0.1:${port}`), { count: 0 });
      const first = names?.startsWith('bakeserv') ? 'is named bakeserv.socket, as no listener' : 'has no name';
      assert.match(stderr, new RegExp(`warn: the socket handed over as descriptor 3 ${first}.*general options`));
      assert.match(stderr, /warn: the socket handed over as descriptor 4 has no name/);
      for (const name of ['builders', 'everybody', 'world'])
        assert.match(stderr, new RegExp(`warn: no socket named ${name} was handed over`));
    }
  });

  test('of a kind on which the protocol of its name is not spoken ends the start with a reason', async (t) => {
    const home = createHome(t);
    const file = path.join(home.folder, 'handed.sock');
    const child = await start(t, home, [await listening(t, file)], 'world', LISTENERS);
    const over = new Promise((resolve) => child.once('exit', resolve));
    await output(child, /handed\.sock was handed over for ws:\/\/0\.0\.0\.0:1, which needs a TCP socket/, 'stderr');
    assert.equal(await over, 2);
  });

  test('takes over new rights of its name', async (t) => {
    const home = createHome(t);
    const socket = await listening(t, 0);
    const { port } = socket;
    const child = await start(t, home, [socket], 'everybody', LISTENERS);
    await output(child, /listening/);
    await assert.rejects(mark(`127.0.0.1:${port}`), /read-only/);
    fs.writeFileSync(path.join(home.folder, 'bakeserv.yaml'), LISTENERS.replace('read-only: true', 'read-only: false'));
    const { stdout, stderr } = await home.bakeserv(['reload']);
    assert.deepEqual([stdout, stderr], ['taken over: the rights of listeners\n', '']);
    assert.deepEqual(await mark(`127.0.0.1:${port}`), { count: 0 });
  });
});
