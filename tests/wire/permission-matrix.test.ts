import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { SILENT } from '../../lib/log.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';
import { startServer } from '../../lib/server.ts';
import { configIn, hash, METHOD, temporaryFolder, WireClient } from './helpers.ts';

const PAGE = new URL('../../docs/permissions.md', import.meta.url);

/** Who asks, with the permissions of the user; null: nobody has logged in, and @read and @report are open to everybody. */
const WHO: Readonly<Record<string, readonly string[] | null>> = {
  anonymous: null,
  reader: ['@read'],
  reporter: ['@read', '@report'],
  'db-admin': ['@db-admin'],
  'user-admin': ['@user-admin'],
  all: ['@all'],
};

/** The listeners, by the heading of their table. */
const DOORS: Readonly<Record<string, string>> = {
  'read-write': '',
  'read-only': ',read-only',
  'pr=none': ',pr=none',
  'pr-auth': ',pr-auth',
};

const task = { method: METHOD, taskhash: 't1' };
const PKG = { version: 'pkg-1-r0', pkgarch: 'core2' };
const pr = { ...PKG, checksum: 'c' };
const other = { username: 'other' };

/** An argument for every command, one that changes nothing that another row of the table needs. */
const ARGUMENTS: Readonly<Record<string, Json>> = {
  'OEHASHEQUIV ping': {},
  'OEHASHEQUIV get': task,
  'OEHASHEQUIV get-outhash': { ...task, outhash: 'o1' },
  'OEHASHEQUIV get-stream': null,
  'OEHASHEQUIV exists-stream': null,
  'OEHASHEQUIV report': { ...task, outhash: 'o1', unihash: hash(1) },
  'OEHASHEQUIV report-equiv': { ...task, unihash: hash(1) },
  'OEHASHEQUIV get-stats': null,
  'OEHASHEQUIV reset-stats': null,
  'OEHASHEQUIV backfill-wait': null,
  'OEHASHEQUIV remove': { where: { taskhash: 'none' } },
  'OEHASHEQUIV gc-mark': { mark: 'm', where: {} },
  'OEHASHEQUIV gc-mark-stream': null,
  'OEHASHEQUIV gc-status': {},
  'OEHASHEQUIV gc-sweep': { mark: 'another' },
  'OEHASHEQUIV clean-unused': { max_age_seconds: 86_400 },
  'OEHASHEQUIV get-db-usage': {},
  'OEHASHEQUIV get-db-query-columns': {},
  'OEHASHEQUIV count-rows': { where: { taskhash: 'none' } },
  'OEHASHEQUIV count-stream': null,
  'OEHASHEQUIV database-id': {},
  'OEHASHEQUIV export-rows': { table: 'unihashes', after: 0 },
  'OEHASHEQUIV export-tasks': { after: 0 },
  'OEHASHEQUIV find-task': { text: 'busybox' },
  'OEHASHEQUIV find-rows': { table: 'outhashes', by: 'PN', keys: ['busybox'] },
  'OEHASHEQUIV import-rows': { table: 'unihashes', columns: ['method', 'taskhash', 'unihash'], rows: [] },
  'OEHASHEQUIV insight-age': {},
  'OEHASHEQUIV insight-status': {},
  'OEHASHEQUIV insight-lookups': {},
  'OEHASHEQUIV insight-unstable': {},
  'OEHASHEQUIV insight-diff': { taskhash: 'none' },
  'OEHASHEQUIV insight-equivalences': {},
  'OEHASHEQUIV insight-shared-state': {},
  'OEHASHEQUIV job-start': { kind: 'clean-unused', parameters: { max_age_seconds: 86_400 } },
  'OEHASHEQUIV job-list': {},
  'OEHASHEQUIV job-show': { id: 1 },
  'OEHASHEQUIV job-cancel': { id: 1 },
  'OEHASHEQUIV auth': { username: 'nobody', token: 'x' },
  'OEHASHEQUIV get-user': other,
  'OEHASHEQUIV get-all-users': {},
  'OEHASHEQUIV new-user': { username: 'fresh', permissions: [] },
  'OEHASHEQUIV set-user-perms': { ...other, permissions: [] },
  'OEHASHEQUIV delete-user': { username: 'nobody' },
  'OEHASHEQUIV refresh-token': { username: 'nobody' },
  'OEHASHEQUIV become-user': { username: 'nobody' },
  'PRSERVICE ping': {},
  'PRSERVICE auth': { username: 'nobody', token: 'x' },
  'PRSERVICE get-pr': pr,
  'PRSERVICE test-pr': pr,
  'PRSERVICE test-package': PKG,
  'PRSERVICE max-package-pr': PKG,
  'PRSERVICE chain-pr': pr,
  'PRSERVICE import-one': { ...pr, value: '1' },
  'PRSERVICE export': {},
  'PRSERVICE is-readonly': {},
  'PRSERVICE import-rows': { rows: '["p-1","a","c","1"]' },
  'PRSERVICE export-rows': { after: null },
  'PRSERVICE find-packages': { text: 'busy' },
  'PRSERVICE show-package': { version: 'none' },
  'PRSERVICE count-rows': PKG,
  'PRSERVICE remove': { version: 'none' },
  'PRSERVICE insight-churn': {},
  'PRSERVICE insight-status': {},
  'PRSERVICE job-start': { kind: 'remove-prs', parameters: { version: 'none' } },
  'PRSERVICE job-list': {},
  'PRSERVICE job-show': { id: 1 },
  'PRSERVICE job-cancel': { id: 1 },
};

const COMMANDS = [
  ...Object.keys(HASH_COMMANDS).map((name) => `OEHASHEQUIV ${name}`),
  ...Object.keys(PR_COMMANDS).map((name) => `PRSERVICE ${name}`),
];

/** Every cell of the tables in the page: door → command → one text for each column. */
function tablesOf(text: string): Map<string, Map<string, string[]>> {
  const tables = new Map<string, Map<string, string[]>>();
  let table: Map<string, string[]> | null = null;
  for (const line of text.split('\n')) {
    const heading = /^### .*`([^`]+)`/.exec(line);
    if (heading) {
      table = new Map();
      tables.set(heading[1]!, table);
    }
    const [, first, ...cells] = line.split('|').map((cell) => cell.trim());
    const command = /^`(\S+ \S+)`$/.exec(first ?? '')?.[1];
    if (command && table) table.set(command, cells.slice(0, -1));
  }
  return tables;
}

/** What becomes of a command, in the words of the page. */
async function outcome(client: WireClient, command: string): Promise<string> {
  const reply = await client.ask(command.split(' ')[1]!, ARGUMENTS[command]!);
  if (reply === 'ok') {
    client.send('END\n');
    assert.equal(await client.line(), 'ok');
    return 'yes';
  }
  const message = (reply as { 'invoke-error'?: { message: string } } | null)?.['invoke-error']?.message;
  if (message === undefined) return 'yes';
  if (/is not allowed to access|from a local address only/.test(message)) return 'no';
  if (/is read-only/.test(message)) return 'read-only';
  if (/does not serve these commands|Unknown command "auth"/.test(message)) return 'closed';
  return 'yes';
}

/** A server with a listener of each kind, for users and for clients without a login. */
async function start(t: TestContext) {
  const after: (() => void)[] = [];
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const names = new Map<string, string>();
  const bind = Object.entries(DOORS).flatMap(([door, rights], i) => {
    names.set(door, `${folder}/${i}`);
    const at = `unix://${folder}/${i}`;
    return [`${at}${rights},anon-perms=@none`, `${at}a${rights},anon-perms=@read,@report`];
  });
  const admin = { 'admin-user': 'admin', 'admin-password': 'secret' };
  // A failed login is one of the cells.
  const flags = { bind, ...admin, 'sync-mode': 'on_shutdown', 'login-failure-delay': '0.001' };
  const server = await startServer(configIn(folder, flags), SILENT);
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.close();
    for (const fn of after) fn();
  });
  const tokens = new Map<string, string>();
  const connect = async (door: string, who: string, protocol: string) => {
    const path = names.get(door)! + (WHO[who] ? '' : 'a');
    const client = new WireClient(net.connect(path)).handshake(
      `${protocol} ${protocol === 'PRSERVICE' ? '1.0' : '1.1'}`,
    );
    clients.push(client);
    const token = tokens.get(who);
    if (token && (protocol === 'OEHASHEQUIV' || door === 'pr-auth')) await client.ask('auth', { username: who, token });
    return client;
  };
  const boss = new WireClient(net.connect(names.get('read-write')!)).handshake();
  clients.push(boss);
  await boss.ask('auth', { username: 'admin', token: 'secret' });
  await boss.ask('new-user', { username: 'other', permissions: [] });
  for (const [username, permissions] of Object.entries(WHO)) {
    if (!permissions) continue;
    const made = await boss.ask('new-user', { username, permissions: [...permissions] });
    tokens.set(username, (made as { token: string }).token);
  }
  return connect;
}

describe('the tables of docs/permissions.md', () => {
  const tables = tablesOf(fs.readFileSync(PAGE, 'utf8'));

  test('have every listener and every command, and nothing else', () => {
    assert.deepEqual([...tables.keys()], Object.keys(DOORS));
    for (const table of tables.values()) assert.deepEqual([...table.keys()].sort(), [...COMMANDS].sort());
    assert.deepEqual(Object.keys(ARGUMENTS).sort(), [...COMMANDS].sort());
  });

  for (const door of Object.keys(DOORS)) {
    test(`say what a ${door} listener does for everybody`, async (t) => {
      const connect = await start(t);
      const wrong: string[] = [];
      for (const [column, who] of Object.keys(WHO).entries()) {
        for (const command of COMMANDS) {
          const client = await connect(door, who, command.split(' ')[0]!);
          const found = await outcome(client, command);
          client.close();
          const written = tables.get(door)?.get(command)?.[column];
          if (found !== written) wrong.push(`${command} as ${who}: ${found}, and the page has ${written}`);
        }
      }
      assert.deepEqual(wrong, []);
    });
  }
});
