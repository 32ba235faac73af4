import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { SILENT } from '../../lib/log.ts';
import { hash, METHOD } from './helpers.ts';
import { type HttpServer, httpServer, rawRequest } from './http-helpers.ts';
import { recordLog } from './log-recorder.ts';
import { type Seen, Visitor } from './page-helpers.ts';
import { secureServer } from './tls-helpers.ts';
import { FrameClient, upgradeStatus } from './websocket-helpers.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret', 'login-failure-delay': 0.01 };
const REPORT = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };
const kind = ({ status, problem }: Seen) => (problem === null ? String(status) : `${status} ${problem}`);

async function signedIn(t: TestContext, flags: Record<string, unknown> = {}) {
  const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@none', ...flags } });
  const visitor = new Visitor(server.url);
  await visitor.signIn('root', 'secret');
  return { server, visitor };
}

/** A user other than root, signed in. */
async function guest(server: HttpServer, root: Visitor, permissions: readonly string[]) {
  const made = await root.ask('POST', '/users', { username: 'anna', permissions });
  assert.equal(made.status, 201);
  const visitor = new Visitor(server.url);
  await visitor.signIn('anna', made.body.token);
  return { visitor, token: made.body.token as string };
}

describe('signing in on the page', () => {
  test('makes a session of 8 hours whose cookie no script can read and no other site sends', async (t) => {
    const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@none' } });
    const visitor = new Visitor(server.url);
    const before = Date.now();
    const { headers, body } = await visitor.signIn('root', 'secret');
    const [cookie, ...attributes] = headers['set-cookie']![0]!.split('; ');
    assert.match(cookie!, /^bakeserv=[\w.-]+$/);
    assert.deepEqual(attributes.filter((each) => !each.startsWith('Expires')).sort(), [
      'HttpOnly',
      'Path=/',
      'SameSite=Strict',
    ]);
    const lasts = Date.parse(body.expires) - before;
    assert.ok(lasts >= 8 * 3_600_000 && lasts < 8 * 3_600_000 + 60_000, String(lasts));
    assert.equal(body.user, 'root');
    assert.equal(body.by, 'session');
    assert.deepEqual(body.permissions, ['@all', '@db-admin', '@read', '@report', '@user-admin']);
    assert.equal((await visitor.ask('GET', '/users')).status, 200);
    assert.equal(await new Visitor(server.url).user(), null);
  });

  test('over TLS has a cookie that goes over TLS alone, and that no neighbour can set', async (t) => {
    const server = await secureServer(t, { flags: { ...ADMIN, bind: ['https://127.0.0.1:0'] } });
    const visitor = new Visitor(`https://127.0.0.1:${server.port}`, {
      ca: server.authority.cert,
      servername: 'localhost',
    });
    const { headers } = await visitor.signIn('root', 'secret');
    const [cookie, ...attributes] = headers['set-cookie']![0]!.split('; ');
    assert.match(cookie!, /^__Host-bakeserv=/);
    assert.ok(attributes.includes('Secure'));
    assert.equal(await visitor.user(), 'root');
    visitor.cookie = visitor.cookie.replace('__Host-', '');
    assert.equal(await visitor.user(), null, 'under the name that anybody may set');
  });

  test('says which commands are open, and to nobody more than it does', async (t) => {
    const { server, visitor: root } = await signedIn(t, {
      'page-pull-from': ['tls://farm:8585'],
      'sstate-dir': '/srv/sstate',
    });
    const nobody = (await new Visitor(server.url).ask('GET', '/session')).body;
    assert.deepEqual([nobody.user, nobody.by, nobody.expires, nobody.sign_in], [null, null, null, true]);
    assert.deepEqual(nobody.may.hashserv, []);
    assert.deepEqual([nobody.pull_from, nobody.shared_state], [[], false]);
    const { visitor } = await guest(server, root, ['@read']);
    const anna = (await visitor.ask('GET', '/session')).body;
    assert.equal(anna.user, 'anna');
    assert.deepEqual([anna.pull_from, anna.shared_state], [[], false]);
    for (const command of ['get', 'get-outhash', 'get-stats']) assert.ok(anna.may.hashserv.includes(command), command);
    for (const command of ['get-all-users', 'gc-status', 'job-start', 'report-equiv'])
      assert.ok(!anna.may.hashserv.includes(command), command);
    const all = (await root.ask('GET', '/session')).body;
    for (const command of ['get-all-users', 'gc-status', 'job-start', 'new-user'])
      assert.ok(all.may.hashserv.includes(command), command);
    assert.ok(all.may.prserv.includes('max-package-pr'));
    assert.deepEqual([all.pull_from, all.shared_state], [['tls://farm:8585'], true]);
  });

  test('and asking what is open leaves no refusals in the log', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@read' }, log });
    await new Visitor(server.url).ask('GET', '/session');
    assert.equal((await new Visitor(server.url).ask('GET', '/status')).status, 200);
    assert.deepEqual(
      lines.filter((line) => /permission refused|login/.test(line) && !line.includes('listening')),
      [],
    );
  });

  test('with a wrong token is refused late, and slowed down together with logins of the protocol', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@none', 'max-login-failures': 3 }, log });
    const visitor = new Visitor(server.url);
    for (let i = 0; i < 3; i++) {
      const answer = await visitor.ask('POST', '/session', { username: 'root', token: 'wrong' });
      assert.equal(kind(answer), '401 unauthorized');
      assert.equal(answer.headers['set-cookie'], undefined);
    }
    const figures = server.server.hub.figures.hits;
    assert.equal(figures.maxLoginFailures, 1);
    assert.equal(figures.maxCautiousLogins, 0);
    await visitor.signIn('root', 'secret');
    assert.equal(figures.maxCautiousLogins, 1, 'waited for its turn');
    assert.equal(lines.filter((line) => line.includes('login refused')).length, 3);
    assert.doesNotMatch(lines.join('\n'), /wrong|secret/);
  });

  test('is refused, with whatever is no name and token, and no browser asks for them in front of the page', async (t) => {
    const server = await httpServer(t, { flags: ADMIN });
    const visitor = new Visitor(server.url);
    for (const body of [{}, [], 'x', { username: 'root' }, { username: 'root', token: 5 }, { username: 1, token: 'x' }])
      assert.match(kind(await visitor.ask('POST', '/session', body)), /^(422 invalid|400 bad-request)$/);
    const extra = await visitor.ask('POST', '/session', { username: 'root', token: 'secret', permissions: ['@all'] });
    assert.equal(kind(extra), '422 invalid');
    const page = { 'sec-fetch-dest': 'empty' };
    const wrong = await visitor.ask('POST', '/session', { username: 'root', token: 'x' }, page);
    assert.equal(wrong.headers['www-authenticate'], undefined);
    assert.match(String((await visitor.ask('GET', '/users')).headers['www-authenticate']), /^Basic/);
  });

  test('is refused over plain HTTP from elsewhere, whether the token is right or not', async (t) => {
    const server = await httpServer(t, { flags: ADMIN });
    const plain = new Visitor(server.url, { headers: { 'x-forwarded-proto': 'http' } });
    for (const token of ['secret', 'wrong'])
      assert.equal(kind(await plain.ask('POST', '/session', { username: 'root', token })), '403 insecure-login');
    assert.equal((await plain.ask('GET', '/session')).body.sign_in, false);
    const here = new Visitor(server.url);
    await here.signIn('root', 'secret');
    plain.cookie = here.cookie;
    assert.equal(await plain.user(), null, 'nor is a session taken there');
  });

  test('is refused where there are no users, and where nothing is written', async (t) => {
    const prs = await httpServer(t, { flags: { hashserv: false } });
    const asked = { username: 'root', token: 'secret' };
    assert.equal(kind(await new Visitor(prs.url).ask('POST', '/session', asked)), '403 not-served');
    const { server } = await signedIn(t);
    await server.server.close();
    const flags = { 'read-only': true, 'hashserv-db': `${server.folder}/hashserv.db` };
    const reader = await httpServer(t, { flags: { ...flags, 'prserv-db': `${server.folder}/prserv.sqlite3` } });
    assert.equal(kind(await new Visitor(reader.url).ask('POST', '/session', asked)), '403 read-only');
  });
});

describe('a session', () => {
  test('ends with signing out, for whoever has its cookie, and for nobody else', async (t) => {
    const { server, visitor } = await signedIn(t);
    const other = new Visitor(server.url);
    await other.signIn('root', 'secret');
    const copy = new Visitor(server.url);
    copy.cookie = visitor.cookie;
    assert.equal(await copy.user(), 'root');
    const out = await visitor.ask('DELETE', '/session');
    assert.equal(out.body.user, null);
    assert.match(out.headers['set-cookie']![0]!, /^bakeserv=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(visitor.cookie, '');
    assert.equal(kind(await copy.ask('GET', '/users')), '401 unauthorized');
    assert.equal(await copy.user(), null);
    assert.equal(copy.cookie, '', 'a browser that comes with it is told to forget it');
    assert.equal(await other.user(), 'root');
  });

  test('ends with its user, also when one of that name is made again, and with the token', async (t) => {
    const { server, visitor: root } = await signedIn(t);
    const { visitor } = await guest(server, root, ['@read']);
    assert.equal((await root.ask('POST', '/users/anna/token')).status, 200);
    assert.equal(await visitor.user(), null, 'the token was replaced');
    assert.equal((await root.ask('DELETE', '/users/anna')).status, 200);
    const again = await guest(server, root, ['@read']);
    const { cookie } = again.visitor;
    assert.equal((await root.ask('DELETE', '/users/anna')).status, 200);
    assert.equal(await again.visitor.user(), null);
    await guest(server, root, ['@read']);
    again.visitor.cookie = cookie;
    assert.equal(await again.visitor.user(), null, 'another user of that name');
  });

  test('has the rights of its user as they are at the moment', async (t) => {
    const { server, visitor: root } = await signedIn(t);
    const { visitor } = await guest(server, root, ['@read']);
    assert.equal(kind(await visitor.ask('GET', '/gc')), '403 forbidden');
    const set = (permissions: string[]) => root.ask('PUT', '/users/anna/permissions', { permissions });
    assert.equal((await set(['@read', '@db-admin'])).status, 200);
    assert.equal(kind(await visitor.ask('GET', '/gc')), '200');
    assert.equal((await set([])).status, 200);
    assert.equal(kind(await visitor.ask('GET', '/gc')), '403 forbidden');
    assert.equal(await visitor.user(), 'anna');
  });

  test('lives on with the database: a restart ends none', async (t) => {
    const { server, visitor } = await signedIn(t);
    await server.server.close();
    const files = { 'hashserv-db': `${server.folder}/hashserv.db`, 'prserv-db': `${server.folder}/prserv.sqlite3` };
    const next = await httpServer(t, { flags: { ...files, 'anon-perms': '@none' } });
    const later = new Visitor(next.url);
    later.cookie = visitor.cookie;
    assert.equal(await later.user(), 'root');
  });

  test('has on another listener what that allows, and nothing on one without a page', async (t) => {
    const server = await httpServer(t, {
      flags: { ...ADMIN, bind: ['http://127.0.0.1:0', 'http://127.0.0.1:0,read-only', 'http://127.0.0.1:0,no-page'] },
    });
    const [all, reader, hidden] = server.server.listeners.map(({ address }) => {
      assert.equal(address.kind, 'http');
      return new Visitor(`http://127.0.0.1:${'port' in address ? address.port : 0}`);
    });
    await all!.signIn('root', 'secret');
    for (const each of [reader!, hidden!]) each.cookie = all!.cookie;
    const make = (visitor: Visitor) => visitor.ask('POST', '/users', { username: 'x', permissions: [] });
    assert.equal(kind(await make(reader!)), '403 read-only');
    assert.equal(kind(await make(hidden!)), '401 unauthorized');
    assert.equal(kind(await make(all!)), '201');
  });

  test('is none for a cookie that was changed, is too long, is there twice, or stands among thousands', async (t) => {
    const { server, visitor } = await signedIn(t);
    const good = visitor.cookie;
    const value = good.slice('bakeserv='.length);
    const [name, slot, secret] = value.split('.');
    const ask = async (cookie: string) => {
      const other = new Visitor(server.url);
      other.cookie = cookie;
      return kind(await other.ask('GET', '/users'));
    };
    assert.equal(await ask(`a=b; ${good}; c=d`), '200');
    const bad = [
      `${name}.${slot}.${secret!.slice(0, -1)}${secret!.endsWith('A') ? 'B' : 'A'}`,
      `${name}.${(Number(slot) + 1) % 32}.${secret}`,
      `${name}.99.${secret}`,
      `${Buffer.from('anna').toString('base64url')}.${slot}.${secret}`,
      `${name}.${slot}.`,
      `${name}.${slot}.${secret}.x`,
      'x'.repeat(10_000),
      '"',
      '%',
      'null',
    ];
    for (const each of bad) assert.equal(await ask(`bakeserv=${each}`), '401 unauthorized', each.slice(0, 80));
    for (const twice of [`${good}; ${good}`, `bakeserv=; ${good}`, `${good}; bakeserv =x`])
      assert.equal(await ask(twice), '401 unauthorized', twice);
    const flood = Array.from({ length: 2000 }, (_, i) => `c${i}=`).join(';');
    assert.ok(flood.length < 16_000);
    assert.equal(await ask(`${flood};${good}`), '200');
    assert.equal(await ask(`${good};${flood}`), '200');
    assert.equal(await ask('x'.repeat(17_000)), '431 headers-too-large');
  });

  test('of one user are so many; the next takes the place of that which ends first', async (t) => {
    const { server, visitor } = await signedIn(t);
    const later: Visitor[] = [];
    for (let i = 0; i < 32; i++) {
      const next = new Visitor(server.url);
      await next.signIn('root', 'secret');
      later.push(next);
    }
    assert.equal(await visitor.user(), null);
    for (const each of later) assert.equal(await each.user(), 'root');
  });

  test('is not taken by WebSocket clients, nor by the protocol', async (t) => {
    const { server, visitor } = await signedIn(t, { bind: ['http://127.0.0.1:0', '127.0.0.1:0'] });
    const origin = { origin: visitor.origin, 'sec-fetch-site': 'same-origin', cookie: visitor.cookie };
    assert.equal(
      await upgradeStatus(`ws://127.0.0.1:${server.port}/ws`, origin),
      403,
      'pages are refused there as ever',
    );
    const client = await FrameClient.open(`ws://127.0.0.1:${server.port}/ws`, { headers: { cookie: visitor.cookie } });
    assert.match(JSON.stringify(await client.ask('get-all-users', {})), /Anonymous user is not allowed/);
    client.ws.terminate();
    const raw = server.server.listeners.find(({ address }) => address.kind === 'tcp')!;
    const socket = net.connect('port' in raw.address ? raw.address.port : 0, '127.0.0.1');
    socket.write(`GET /api/v1/users HTTP/1.1\r\nHost: localhost\r\nCookie: ${visitor.cookie}\r\n\r\n`);
    assert.equal((await socket.toArray()).join(''), '');
  });
});

describe('a page of another site', () => {
  const FOREIGN = 'https://evil.example';

  test('cannot use the session of a browser: neither by Origin, nor by what the browser says of the request', async (t) => {
    const { visitor } = await signedIn(t);
    const make = (headers: Record<string, string | undefined>) =>
      visitor.ask('POST', '/users', { username: 'x', permissions: [] }, headers);
    const { port } = new URL(visitor.origin);
    const attempts: Record<string, string | undefined>[] = [
      { origin: FOREIGN, 'sec-fetch-site': 'cross-site' },
      { origin: FOREIGN, 'sec-fetch-site': undefined },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' },
      { origin: undefined, 'sec-fetch-site': 'same-site' },
      { origin: undefined, 'sec-fetch-site': 'cross-site' },
      { origin: undefined, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      { origin: undefined, 'sec-fetch-site': undefined },
      { origin: undefined, 'sec-fetch-site': 'none' },
      // A name that was made to lead here: the browser is no help, as it is of no machine that it trusts.
      { origin: `http://evil.example:${port}`, host: `evil.example:${port}`, 'sec-fetch-site': undefined },
    ];
    for (const headers of attempts)
      assert.match(kind(await make(headers)), /^403 origin-refused$/, JSON.stringify(headers));
    assert.equal(kind(await make({})), '201', 'the page itself');
    // Another tab on the same machine reads nothing with it either.
    const read = await visitor.ask('GET', '/users', undefined, { 'sec-fetch-site': 'same-site' });
    assert.equal(kind(read), '403 origin-refused');
    const followed = await visitor.ask('GET', '/users', undefined, {
      'sec-fetch-site': 'same-site',
      'sec-fetch-mode': 'navigate',
    });
    assert.equal(kind(followed), '200', 'a link is followed with what the browser sends');
  });

  test('cannot sign a browser in, or out', async (t) => {
    const { server, visitor } = await signedIn(t);
    const asked = { username: 'root', token: 'secret' };
    for (const headers of [
      { origin: FOREIGN, 'sec-fetch-site': 'cross-site' },
      { origin: 'null', 'sec-fetch-site': undefined },
    ]) {
      const begun = await new Visitor(server.url).ask('POST', '/session', asked, headers);
      assert.equal(kind(begun), '403 origin-refused');
      assert.equal(begun.headers['set-cookie'], undefined);
      assert.equal(kind(await visitor.ask('DELETE', '/session', undefined, headers)), '403 origin-refused');
    }
    assert.equal(await visitor.user(), 'root');
  });

  test('cannot send what a form sends: only JSON is taken', async (t) => {
    const { server, visitor } = await signedIn(t);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const asked = JSON.stringify({ username: 'root', token: 'secret' });
      const begun = await new Visitor(server.url).ask('POST', '/session', asked, { 'content-type': type });
      assert.equal(kind(begun), '415 unsupported-media-type');
      const made = await visitor.ask('POST', '/reports', JSON.stringify(REPORT), { 'content-type': type });
      assert.equal(kind(made), '415 unsupported-media-type');
    }
  });
});

describe('the user that a proxy names', () => {
  const HEADERS = { 'x-forwarded-for': '192.0.2.7', 'x-remote-user': 'anna' };
  const server = async (t: TestContext, flags: Record<string, unknown> = {}, log = SILENT) => {
    const made = await httpServer(t, {
      log,
      flags: {
        ...ADMIN,
        'anon-perms': '@none',
        'trust-proxy': ['127.0.0.1'],
        'user-header': 'X-Remote-User',
        ...flags,
      },
    });
    const root = { authorization: `Basic ${Buffer.from('root:secret').toString('base64')}` };
    const user = { username: 'anna', permissions: ['@read'] };
    assert.equal((await new Visitor(made.url).ask('POST', '/users', user, root)).status, 201);
    return made;
  };

  test('is who asks, with that user’s rights, whatever login comes along', async (t) => {
    const { url } = await server(t);
    const visitor = new Visitor(url, { headers: HEADERS });
    const { body } = await visitor.ask('GET', '/session');
    assert.deepEqual([body.user, body.by, body.permissions], ['anna', 'proxy', ['@read']]);
    assert.equal(kind(await visitor.ask('GET', '/users')), '403 forbidden');
    const authorization = `Basic ${Buffer.from('anna:her password at the proxy').toString('base64')}`;
    assert.equal((await visitor.ask('GET', '/user', undefined, { authorization })).body.username, 'anna');
  });

  test('is nobody without the header, and where no user has the name', async (t) => {
    const { log, lines } = recordLog();
    const { url } = await server(t, {}, log);
    for (const name of [undefined, '', 'nobody', 'anna, root', 'ROOT'])
      assert.equal(
        await new Visitor(url, { headers: { ...HEADERS, 'x-remote-user': name } as never }).user(),
        null,
        name,
      );
    assert.match(lines.join('\n'), /warn the proxy names no user: anonymous rights .*name=nobody/);
  });

  test('is believed of --trust-proxy alone, and only where it is asked for', async (t) => {
    const elsewhere = await server(t, { 'trust-proxy': ['192.0.2.1'] });
    assert.equal(await new Visitor(elsewhere.url, { headers: HEADERS }).user(), null);
    const unasked = await server(t, { 'user-header': undefined });
    assert.equal(await new Visitor(unasked.url, { headers: HEADERS }).user(), null);
  });

  test('is not taken where the client has sent one of its own past the proxy', async (t) => {
    const made = await server(t);
    const head = ['Host: localhost', 'Connection: close', 'X-Forwarded-For: 192.0.2.7'];
    const twice = [...head, 'X-Remote-User: root', 'x-remote-user: anna'];
    const answer = await rawRequest(made, `GET /api/v1/users HTTP/1.1\r\n${twice.join('\r\n')}\r\n\r\n`);
    assert.equal(answer!.status, 400);
    assert.match(answer!.body, /x-remote-user is there twice/);
  });
});
