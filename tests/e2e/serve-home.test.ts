import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { createHome, LAUNCHER, output } from './home-helpers.ts';

test('serve reads ./bakeserv.yaml, and the environment and flags over it', async (t) => {
  const home = createHome(t);
  const yaml = 'bind: unix://./file.sock\nhashserv-db: file.db\nprserv-db: pr.db\nread-only: false\nlog-level: debug\n';
  fs.writeFileSync(path.join(home.folder, 'bakeserv.yaml'), yaml);
  const child = home.start(['serve', '--prserv-db', 'flag.db'], { BAKESERV_HASHSERV_DB: 'env.db', BAKESERV_PORT: '1' });
  const warned = output(child, /BAKESERV_PORT in the environment is no option of bakeserv/, 'stderr');
  assert.equal(await output(child, /\n/), 'listening unix://./file.sock\n');
  await warned;
  const found = fs.readdirSync(home.folder).filter((name) => name.endsWith('.db'));
  assert.deepEqual(found.sort(), ['env.db', 'flag.db']);
});

test('a start says version and Node first; a database that it creates with --config is a warning', async (t) => {
  const home = createHome(t);
  fs.writeFileSync(path.join(home.folder, 'b.yaml'), 'bind: unix://./s\nhashserv: false\nprserv-db: mistyped.db\n');
  const { version } = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8'));
  const said = await output(home.start(['serve', '--config', 'b.yaml']), /listening on \S+: /, 'stderr');
  const [first, ...rest] = said.split('\n').map((line) => line.replace(/^\S+ /, ''));
  assert.equal(first, `info: bakeserv ${version} on Node ${process.versions.node}`);
  const warning = rest.find((line) => line.startsWith('warn: '))!;
  assert.match(warning, /^warn: a new PR database was created although there is a configuration file: /);
  assert.ok(warning.endsWith(` file=${path.join(home.folder, 'mistyped.db')} config=b.yaml`), warning);
});

describe('bakeserv config', () => {
  test('print shows each value with where it was set, and no secret', async (t) => {
    const home = createHome(t);
    fs.writeFileSync(path.join(home.folder, 'b.yaml'), 'cache-size: 16MiB\nadmin-user: boss\n');
    const args = ['config', 'print', '--config', 'b.yaml', '--bind', ':1', '--bind', ':2'];
    const { stdout, status } = await home.bakeserv(args, { BAKESERV_ADMIN_PASSWORD: 'hidden' });
    assert.equal(status, 0);
    const lines = stdout.split('\n');
    for (const line of [
      'bind: [":1",":2"]  # --bind',
      'cache-size: 16777216  # b.yaml: cache-size',
      'admin-user: "boss"  # b.yaml: admin-user',
      'admin-password: "…"  # BAKESERV_ADMIN_PASSWORD',
      'log-level: "info"  # default',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${stdout}`);
    assert.doesNotMatch(stdout, /hidden/);
    const json = JSON.parse((await home.bakeserv([...args, '--json'], { BAKESERV_ADMIN_PASSWORD: 'hidden' })).stdout);
    assert.deepEqual(json['cache-size'], { value: 16777216, where: 'b.yaml: cache-size' });
  });

  test('check says ok, or every fault with status 2 and nothing started', async (t) => {
    const home = createHome(t);
    const local =
      'hash equivalence read-write, without a login @read,@report,@db-admin; PR values read-write for everybody, removing too';
    assert.equal(
      (await home.bakeserv(['config', 'check'])).stdout,
      `ok: no configuration file\nunix://./hashserve.sock: ${local}\n127.0.0.1:8585: ${local}\n`,
    );
    fs.writeFileSync(path.join(home.folder, 'bakeserv.yaml'), 'bnid: :1\nmax-line: many\n');
    const { status, stdout, stderr } = await home.bakeserv(['config', 'check']);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /\.\/bakeserv\.yaml: bnid is no option; did you mean bind\?/);
    assert.match(stderr, /\.\/bakeserv\.yaml: max-line: "many" is not a size in bytes/);
    assert.equal((await home.bakeserv(['config'])).status, 2);
  });
});

describe('a service manager’s sockets take the place of --bind', () => {
  for (const kind of ['TCP', 'Unix'] as const) {
    test(`${kind}`, async (t) => {
      const home = createHome(t);
      const socketFile = path.join(home.folder, 'handed-over.sock');
      const handed = net.createServer();
      await new Promise<void>((resolve) =>
        kind === 'TCP' ? handed.listen(0, '127.0.0.1', resolve) : handed.listen(socketFile, resolve),
      );
      const { port } = handed.address() as net.AddressInfo;
      const { fd } = (handed as unknown as { _handle: { fd: number } })._handle;
      // As systemd does: descriptor 3, and the number of the process in its environment.
      const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, LAUNCHER, 'serve'], {
        cwd: home.folder,
        env: { ...home.env, LISTEN_FDS: '1' },
        stdio: ['ignore', 'pipe', 'pipe', fd],
      });
      t.after(() => child.kill('SIGKILL'));
      // Only the child may accept now. Closing removes the socket file: another name keeps it.
      if (kind === 'Unix') fs.linkSync(socketFile, `${socketFile}.kept`);
      await new Promise((resolve) => handed.close(resolve));
      if (kind === 'Unix') fs.renameSync(`${socketFile}.kept`, socketFile);
      const address = kind === 'TCP' ? `127.0.0.1:${port}` : `unix://${socketFile}`;
      assert.equal(await output(child, /\n/), `listening ${address}\n`);
      const client = await connectClient(parseAddress(address), { protocol: 'PRSERVICE 1.0' });
      assert.deepEqual(await client.invoke('ping', {}), { alive: true });
      client.close();
      const over = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      assert.equal(await over, 0);
      assert.equal(fs.existsSync(socketFile), kind === 'Unix');
    });
  }
});

test('status --check fails where no server runs, and succeeds where all addresses answer', async (t) => {
  const home = createHome(t);
  assert.equal((await home.bakeserv(['status', '--check'])).status, 1);
  const args = ['serve', '--bind', '127.0.0.1:0', '--bind', 'unix://./s', '--no-prserv'];
  await output(home.start(args), /listening unix/);
  const { status, stderr } = await home.bakeserv(['status', '--check']);
  assert.equal(status, 0, stderr);
});
