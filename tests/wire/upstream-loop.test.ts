import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { listen } from '../../lib/asyncrpc/transport/listen.ts';
import { SILENT } from '../../lib/log.ts';
import { fakeUpstream, unihashOf } from './fake-upstream.ts';
import { MEMORY, temporaryFolder, WireClient } from './helpers.ts';
import { recorder, site, stream } from './upstream-helpers.ts';

const own = (n: number) => n.toString(16).padStart(64, '0');

for (const length of [1, 2, 3]) {
  test(`a loop of ${length} server(s) is noticed, said once, and every look-up is answered`, async (t) => {
    const folder = temporaryFolder(t);
    const socket = (i: number) => path.join(folder, `s${i % length}`);
    const logs = Array.from({ length }, recorder);
    const servers = [];
    for (let i = 0; i < length; i++) {
      const server = await site(t, `unix://${socket(i + 1)}`, { 'upstream-timeout': 1 }, { log: logs[i]! });
      const listener = await listen({ kind: 'unix', path: socket(i) }, server.app.hub, DEFAULT_LIMITS, SILENT);
      t.after(() => listener.close());
      servers.push(server);
    }
    const clients = servers.map((server) => server.hash());
    const prs = servers.map((server) => server.pr());
    for (let round = 0; round < 30; round++) {
      for (const [i, client] of clients.entries()) {
        assert.deepEqual(await stream(client, 'get-stream', [`m t${round}`]), [''], `server ${i}`);
        assert.equal(await client.ask('get', { method: 'm', taskhash: `t${round}` }), null);
        const pr = { version: `p${round}`, pkgarch: 'a', checksum: 'c', history: false };
        assert.match(
          JSON.stringify(await prs[i]!.ask('get-pr', pr)),
          /invoke-error.*upstream PR server does not answer/,
        );
      }
    }
    const report = { method: 'm', taskhash: 't', outhash: 'o', unihash: own(1) };
    assert.equal(((await clients[0]!.ask('report', report)) as { unihash: string }).unihash, own(1));
    const refused = logs.map((log) => log.count('error: upstream loop: this server would be asking itself'));
    const given = logs.map((log) => log.count('warn: upstream does not answer'));
    const said = logs.map((log) => log.lines.filter((line) => line.includes('upstream')).join('\n')).join('\n--\n');
    // Once for each service: the loop is cut in one place.
    assert(refused.reduce((a, b) => a + b) >= 2 && Math.max(...refused) <= 2, said);
    assert(given.reduce((a, b) => a + b) >= 2 && Math.max(...given) <= 2, said);
    for (const client of clients) {
      const { upstream } = (await client.ask('get-stats', null)) as { upstream: { asked: number } };
      assert(upstream.asked <= 2 * 2 * 30 * length, `a look-up passes a server once: ${upstream.asked}`);
    }
  });
}

test('a client that calls itself one of the servers above cuts nobody off from them', async (t) => {
  const folder = temporaryFolder(t);
  const fake = await fakeUpstream(t);
  const top = await site(t, fake.address);
  const listener = await listen({ kind: 'unix', path: path.join(folder, 's') }, top.app.hub, DEFAULT_LIMITS, SILENT);
  t.after(() => listener.close());
  const log = recorder();
  const server = await site(t, `unix://${path.join(folder, 's')}`, {}, { log });
  const unihash = async (task: string) => stream(server.hash(), 'get-stream', [`m ${task}`]);
  assert.deepEqual(await unihash('a1'), [unihashOf('m a1')]);
  // Whatever name the top has, now or in the version before: all it ever shows goes to its own upstream.
  const { connect } = await MEMORY.open(server.app, DEFAULT_LIMITS, folder);
  for (const via of ['0123abcd', `${'0'.repeat(32)}/9/${'f'.repeat(16)}`, `${own(1)},${own(2)}`, 'x'.repeat(400)]) {
    for (let n = 0; n < 30; n++) {
      const client = new WireClient((await connect()) as never);
      client.send(`OEHASHEQUIV 1.1\nbakeserv-via: ${via}\n\n`);
      assert.deepEqual(await client.ask('ping', {}), { alive: true });
      client.close();
    }
  }
  for (let n = 2; n < 20; n++) assert.deepEqual(await unihash(`a${n}`), [unihashOf(`m a${n}`)]);
  assert.equal(log.count('upstream'), 0, log.lines.join('\n'));
});
