import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Client } from '../../lib/asyncrpc/client/client.ts';
import {
  type Context,
  field,
  getPr,
  hash,
  METHOD,
  report,
  type ServerProcess,
  serve,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';

const CLIENTS = 4;
const ROUNDS = 25;
const ADMIN = { username: 'admin', token: 'secret' };

interface Connections {
  readonly hashes: Client;
  readonly prs: Client;
}

/** Every way to write, for the nth time by a client. Each resolves to what must hold of the answer with those of others. */
const WRITES: readonly ((connections: Connections, who: string, n: number) => Promise<unknown>)[] = [
  ({ hashes }, who, n) => report(hashes, `${who} ${n}`),
  ({ hashes }, who, n) =>
    hashes.invoke('report-equiv', { method: METHOD, taskhash: hash(`e${who}${n}`), unihash: hash(`u${who}${n}`) }),
  ({ prs }, who, n) => getPr(prs, 'shared', `${who} ${n}`),
  ({ prs }, who, n) =>
    prs.invoke('import-one', { version: 'imported', pkgarch: 'all', checksum: `${who} ${n}`, value: n }),
  ({ hashes }, who) => hashes.invoke('gc-mark', { mark: 'shared', where: { unihash: hash(`u${who} 0`) } }),
  ({ hashes }, who, n) => hashes.invoke('remove', { where: { unihash: hash(`u${who}${n}`) } }),
  ({ hashes }) => hashes.invoke('clean-unused', { max_age_seconds: 86_400 }),
  ({ hashes }, who, n) => hashes.invoke('new-user', { username: `${who}-${n}`, permissions: ['@read'] }),
  ({ hashes }, who, n) => hashes.invoke('set-user-perms', { username: `${who}-${n}`, permissions: ['@all'] }),
  ({ hashes }, who, n) => hashes.invoke('delete-user', { username: `${who}-${n}` }),
];

async function connected(server: ServerProcess): Promise<Connections> {
  const hashes = await server.hash();
  await hashes.invoke('auth', ADMIN);
  return { hashes, prs: await server.pr() };
}

/** Two servers on the same files, with as many clients each. */
async function pair(t: Context) {
  const folder = temporaryFolder(t);
  const args = ['--admin-user', ADMIN.username, '--admin-password', ADMIN.token];
  const servers = await Promise.all(['a', 'b'].map((socket) => serve(t, { folder, socket, args })));
  const clients: (readonly [string, Connections])[] = [];
  for (const [s, server] of servers.entries())
    for (let c = 0; c < CLIENTS; c++) clients.push([`${s}${c}`, await connected(server)]);
  return { folder, servers, clients };
}

describe('two servers on the same files', { concurrency: true }, () => {
  test('answer every kind of write of four clients each, give no PR value twice, and stay able to write', async (t) => {
    const { servers, clients } = await pair(t);
    const values: string[] = [];
    await Promise.all(
      clients.map(async ([who, connections]) => {
        for (let n = 0; n < ROUNDS; n++)
          for (const write of WRITES) {
            const answer = await write(connections, who, n);
            if (typeof answer === 'string' && /^\d+$/.test(answer)) values.push(answer);
          }
      }),
    );
    assert.equal(values.length, 2 * CLIENTS * ROUNDS);
    assert.deepEqual(
      values.map(Number).sort((a, b) => a - b),
      values.map((_, i) => i),
    );
    await writesAtOnce(servers);
  });

  test('write on at once after another program had the lock for longer than they wait', async (t) => {
    const { folder, servers, clients } = await pair(t);
    for (const [who, connections] of clients) await report(connections.hashes, `${who} 0`);
    for (const [, connections] of clients) await getPr(connections.prs, 'shared', 'first');
    const others = await Promise.all(['hashserv.db', 'prserv.db'].map((name) => openOther(t, path.join(folder, name))));
    for (const other of others) await other.exec('BEGIN IMMEDIATE');
    await others[0]!.exec("INSERT INTO config (name) VALUES ('theirs')");
    await others[1]!.exec("INSERT INTO PRMAIN VALUES ('theirs', 'all', 'c', '1')");
    const refused = clients.flatMap(([who, connections], i) =>
      // The others find nothing to change.
      [0, 1, 2, 3, 4, 7]
        // Of gc-mark one a server: they go one after another.
        .filter((w) => (w === 4 ? i % CLIENTS === 0 : (i + w) % 2 === 0))
        .map((w) => assert.rejects(WRITES[w]!(connections, `${who} late`, 0), /locked by another program/)),
    );
    await Promise.all(refused);
    for (const other of others) await other.exec('COMMIT');
    for (const other of others) await other.close();
    await writesAtOnce(servers);
  });
});

/** Neither has to be asked twice. */
async function writesAtOnce(servers: readonly ServerProcess[]): Promise<void> {
  for (const [s, server] of servers.entries()) {
    const connections = await connected(server);
    for (const write of WRITES) await write(connections, `last${s}`, 1);
    assert.equal(field(await connections.hashes.invoke('report', reportFor(s)), 'unihash'), hash(`unihash ${s}`));
  }
}

function reportFor(s: number) {
  return { method: METHOD, taskhash: hash(`task ${s}`), outhash: hash(`out ${s}`), unihash: hash(`unihash ${s}`) };
}
