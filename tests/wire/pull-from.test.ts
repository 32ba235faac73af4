import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { pullKind } from '../../lib/pull/kind.ts';
import type { PullParts } from '../../lib/pull/parts.ts';
import { resolveConfig } from '../../lib/settings/config.ts';
import { METHOD } from './helpers.ts';
import { httpServer } from './http-helpers.ts';
import { type Seen, Visitor } from './page-helpers.ts';
import { reportOf, serveSource } from './pull-helpers.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret', 'anon-perms': '@none' };
const kind = ({ status, problem }: Seen) => (problem === null ? String(status) : `${status} ${problem}`);

/** A server to pull from, one that may, and whoever administers it. */
async function pulling(t: TestContext, permissions: readonly string[] = ['@db-admin']) {
  const source = await serveSource(t);
  await source.hashes.ask('report', reportOf(1));
  const { url } = await httpServer(t, { flags: { ...ADMIN, 'page-pull-from': [source.address] } });
  const root = new Visitor(url);
  await root.signIn('root', 'secret');
  const { body } = await root.ask('POST', '/users', { username: 'dora', permissions });
  const visitor = new Visitor(url);
  await visitor.signIn('dora', body.token);
  const pull = (parameters: object) => visitor.ask('POST', '/jobs', { kind: 'pull', parameters });
  const ended = async (id: number) => {
    for (;;) {
      const { body: job } = await visitor.ask('GET', `/jobs/${id}`);
      if (job.state !== 'waiting' && job.state !== 'running') return job;
    }
  };
  return { source, visitor, root, pull, ended };
}

describe('a pull over the API', () => {
  test('is for administrators from sources that the owner has named; a preview of it first', async (t) => {
    const { source, pull, ended, root, visitor } = await pulling(t);
    assert.deepEqual((await visitor.ask('GET', '/session')).body.pull_from, [source.address]);
    const preview = await pull({ source: source.address, dry_run: true });
    assert.equal(kind(preview), '202');
    assert.equal((await ended(preview.body.id)).result.hashes.unihashes.new, 1);
    const { taskhash } = reportOf(1);
    assert.equal(kind(await root.ask('GET', `/unihashes/${METHOD}/${taskhash}`)), '404 not-found');
    const pulled = await ended((await pull({ source: source.address })).body.id);
    assert.deepEqual([pulled.state, pulled.error], ['done', null]);
    assert.equal(kind(await root.ask('GET', `/unihashes/${METHOD}/${taskhash}`)), '200');
  });

  test('from anywhere else, or opened as somebody else has it, is the owner’s', async (t) => {
    const { source, pull } = await pulling(t);
    const refused = [
      { source: '127.0.0.1:1' },
      { source: '/etc/passwd' },
      { source: 'postgres://localhost/x' },
      { source: `${source.address}/` },
      { source: source.address, ca: '/etc/passwd' },
      { source: source.address, user: 'root' },
      { source: source.address, user: 'root', token_file: '/etc/shadow' },
      { source: source.address, tls_cert: '/x', tls_key: '/x' },
    ];
    for (const parameters of refused)
      assert.equal(kind(await pull(parameters)), '403 forbidden', JSON.stringify(parameters));
  });

  test('is not for those who may only read, nor for anybody where no source is named', async (t) => {
    const reader = await pulling(t, ['@read', '@report', '@user-admin']);
    assert.deepEqual((await reader.visitor.ask('GET', '/session')).body.pull_from, []);
    assert.equal(kind(await reader.pull({ source: reader.source.address })), '403 forbidden');
    const { access } = pullKind({ hashes: null, prs: null } as unknown as PullParts);
    assert.equal(access({ source: reader.source.address }), 'owner');
  });
});

test('what is named for it are addresses of servers, as they are written in full', () => {
  const named = (text: string) => resolveConfig({ 'page-pull-from': [text] }).page.pullFrom;
  assert.deepEqual(named('farm:8585, tls://farm:1 wss://farm:2/ws'), ['farm:8585', 'tls://farm:1', 'wss://farm:2/ws']);
  for (const [text, why] of [
    ['/var/lib/hashserv.db', /only addresses of servers/],
    ['postgres://db/x', /only addresses of servers/],
    ['https://farm:1', /reached as wss:\/\/farm:1\/ws/],
    ['farm', /page-pull-from: "farm"/],
  ] as const)
    assert.throws(() => named(text), why);
});

test('--user-header is a name that means nothing else, and goes with --trust-proxy', () => {
  const named = (text: string, flags = {}) =>
    resolveConfig({ 'user-header': text, 'trust-proxy': ['unix'], ...flags }).page.userHeader;
  assert.equal(named('X-Remote-User'), 'x-remote-user');
  for (const text of ['authorization', 'Cookie', 'X-Forwarded-For', 'a b', 'a_b', '', 'sec-user'])
    assert.throws(() => named(text), /is not the name of a header for users/, text);
  assert.throws(() => named('x-user', { 'trust-proxy': [] }), /only proxies are believed that --trust-proxy names/);
});
