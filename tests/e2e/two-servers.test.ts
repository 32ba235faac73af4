import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Context } from './helpers.ts';
import {
  assertRefused,
  eventually,
  field,
  getPr,
  hash,
  METHOD,
  report,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';

/** Two server processes on the same files, each on a socket of its own. */
function servePair(t: Context, folder: string): Promise<[ServerProcess, ServerProcess]> {
  return Promise.all([serve(t, { folder, socket: 'a' }), serve(t, { folder, socket: 'b' })]);
}

describe('two servers on one database file', () => {
  test('100 clients that ask get-pr at once for 50 packages are given no value twice, and none is skipped', async (t) => {
    const servers = await servePair(t, temporaryFolder(t));
    const clients = await Promise.all(Array.from({ length: 100 }, (_, i) => servers[i % 2]!.pr()));
    const packages = Array.from({ length: 50 }, (_, i) => `recipe-${i}-1.0-r0`);
    const values = await Promise.all(
      clients.map((client, i) => Promise.all(packages.map((version) => getPr(client, version, `checksum-${i}`)))),
    );
    const expected = clients.map((_, i) => i);
    for (const [p] of packages.entries()) {
      const given = values.map((of) => Number(of[p])).sort((a, b) => a - b);
      assert.deepEqual(given, expected);
    }
  });

  test('the same outhashes reported to both at the same time have one unihash each, on both servers', async (t) => {
    const servers = await servePair(t, temporaryFolder(t));
    const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => servers[i % 2]!.hash()));
    const outhashes = Array.from({ length: 150 }, (_, i) => hash(`out${i}`));
    const answers = await Promise.all(
      clients.map((client, c) =>
        Promise.all(
          outhashes.map(async (outhash, i) => {
            const [taskhash, unihash] = [hash(`task${c}-${i}`), hash(`uni${c}-${i}`)];
            const reply = await client.invoke('report', { method: METHOD, taskhash, outhash, unihash });
            return field(reply, 'unihash');
          }),
        ),
      ),
    );
    for (const [i, outhash] of outhashes.entries()) {
      const told = new Set(answers.map((of) => of[i]!));
      assert.equal(told.size, 1, `outhash ${i} has ${told.size} unihashes`);
      for (const client of clients.slice(0, 2)) {
        const row = await client.invoke('get-outhash', { method: METHOD, outhash, taskhash: '' + hash('any') });
        assert.equal(field(row, 'unihash'), [...told][0]);
      }
    }
  });

  test('the same taskhash reported to both at the same time keeps one unihash', async (t) => {
    const servers = await servePair(t, temporaryFolder(t));
    const [a, b] = await Promise.all(servers.map((server) => server.hash()));
    const names = Array.from({ length: 100 }, (_, i) => `same${i}`);
    const told = await Promise.all(
      names.map((name) =>
        Promise.all([
          report(a!, name, { outhash: hash(`a${name}`), unihash: hash(`ua${name}`) }),
          report(b!, name, { outhash: hash(`b${name}`), unihash: hash(`ub${name}`) }),
        ]),
      ),
    );
    for (const [i, [fromA, fromB]] of told.entries()) {
      assert.equal(fromA, fromB);
      assert.equal(await storedUnihash(a!, names[i]!), fromA);
      assert.equal(await storedUnihash(b!, names[i]!), fromA);
    }
  });

  test('what one removes the other soon no longer answers from memory', async (t) => {
    const servers = await servePair(t, temporaryFolder(t));
    const [a, b] = await Promise.all(servers.map((server) => server.hash()));
    const unihash = await report(a!, 'gone');
    assert.equal(await storedUnihash(b!, 'gone'), unihash);
    await a!.invoke('remove', { where: { unihash } });
    await eventually(20_000, async () => assert.equal(await storedUnihash(b!, 'gone'), null, 'still answered'));
  });
});

test('a second server on a file says that the first has it open, and only after a crash that one was unclean', async (t) => {
  const folder = temporaryFolder(t);
  const first = await serve(t, { folder });
  await report(await first.hash(), 'a');
  const second = await serve(t, { folder, socket: 'second' });
  await second.logged(/another server has this database open; the file was checked and is whole file=\S+hashserv\.db/);
  assert.doesNotMatch(second.stderr(), /did not stop cleanly/);
  for (const each of [first, second]) await each.stop('SIGKILL');
  const third = await serve(t, { folder });
  await third.logged(/did not stop cleanly; the file was checked and is whole file=\S+hashserv\.db/);
  assert.doesNotMatch(third.stderr(), /another server has/);
});

describe('the socket path of another server', { concurrency: true }, () => {
  test('is refused with a clear message, and the server there is unharmed', async (t) => {
    const folder = temporaryFolder(t);
    const first = await serve(t, { folder });
    await assertRefused(
      { folder: temporaryFolder(t), args: ['--bind', `unix://${folder}/s`] },
      1,
      /another server is listening there/,
    );
    assert.deepEqual(await (await first.hash()).invoke('ping', {}), { alive: true });
    await first.stop();
    assert.ok(!fs.existsSync(path.join(folder, 's')));
  });

  test('is taken over from a server that was killed', async (t) => {
    const folder = temporaryFolder(t);
    const killed = await serve(t, { folder });
    await killed.stop('SIGKILL');
    assert.ok(fs.existsSync(path.join(folder, 's')));
    const next = await serve(t, { folder });
    assert.deepEqual(await (await next.hash()).invoke('ping', {}), { alive: true });
  });

  test('is left alone at the end when another program has put its own socket there', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const file = path.join(folder, 's');
    fs.rmSync(file);
    const other = net.createServer();
    t.after(() => void other.close());
    await new Promise<void>((resolve) => other.listen(file, resolve));
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
    assert.ok(fs.existsSync(file));
  });

  test('may be longer than a socket address holds', async (t) => {
    const folder = path.join(temporaryFolder(t), 'x'.repeat(120));
    fs.mkdirSync(folder);
    const server = await serve(t, { folder });
    assert.deepEqual(await (await server.hash()).invoke('ping', {}), { alive: true });
    await server.stop();
    assert.deepEqual(fs.readdirSync(folder).sort(), ['bakeserv-figures', 'hashserv.db', 'prserv.db']);
  });

  test('is not taken when something other than a socket is there', async (t) => {
    const folder = temporaryFolder(t);
    fs.writeFileSync(path.join(folder, 's'), 'precious');
    await assertRefused({ folder }, 2, /a file that is no socket is in the way/);
    assert.equal(fs.readFileSync(path.join(folder, 's'), 'utf8'), 'precious');
  });
});
