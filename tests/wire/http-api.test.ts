import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { Ajv, type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import { KIB } from '../../lib/asyncrpc/limits.ts';
import { API_ROUTES } from '../../lib/http/api/routes.ts';
import { configIn, hash, METHOD } from './helpers.ts';
import { AnswerReader, type HttpServer, httpServer, rawRequest } from './http-helpers.ts';
import { recordLog } from './log-recorder.ts';

const ADMIN = { 'admin-user': 'root', 'admin-password': 'secret' };
const ROOT = { authorization: `Basic ${Buffer.from('root:secret').toString('base64')}` };
const TASK = `/unihashes/${METHOD}/t1`;
const REPORT = { method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };

const ajv = new Ajv({ strict: false, validateFormats: false });
/** What the description says of an answer, by the path that it is to. */
const DESCRIBED = API_ROUTES.map(({ method, path, answer }) => ({
  method,
  path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
  isDescribed: ajv.compile(answer) as ValidateFunction,
}));

function assertDescribed(method: string, path: string, said: unknown): void {
  const [plain] = path.split('?');
  const route = DESCRIBED.find((each) => each.method === method && each.path.test(plain!));
  if (!route) return;
  assert.ok(
    route.isDescribed(said),
    `${method} ${path}: ${ajv.errorsText(route.isDescribed.errors)}: ${JSON.stringify(said)}`,
  );
}

interface Said {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The kind of problem, or null. */
  readonly problem: string | null;
  readonly headers: Headers;
}

async function ask(
  { url }: Pick<HttpServer, 'url'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Said> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const said = text === '' ? {} : JSON.parse(text);
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  if (isProblem) assert.equal(said.status, response.status);
  else assertDescribed(method, path, said);
  assert.equal(response.headers.get('cache-control'), 'no-store', path);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
  return {
    status: response.status,
    body: said,
    problem: isProblem ? said.type.slice('urn:bakeserv:problem:'.length) : null,
    headers: response.headers,
  };
}

/** The status and, of a problem, its kind. */
const kind = ({ status, problem }: Said) => (problem === null ? String(status) : `${status} ${problem}`);

describe('hash equivalence over HTTP', () => {
  test('is what clients of the protocol report and look up', async (t) => {
    const server = await httpServer(t);
    assert.equal(kind(await ask(server, 'GET', TASK)), '404 not-found');
    const stored = { taskhash: 't1', method: METHOD, unihash: hash(1) };
    assert.deepEqual((await ask(server, 'POST', '/reports', REPORT)).body, stored);
    assert.deepEqual((await ask(server, 'GET', TASK)).body, stored);
    const same = { ...REPORT, taskhash: 't2', unihash: hash(2) };
    assert.equal((await ask(server, 'POST', '/reports', same)).body.unihash, hash(1), 'the output is the same');
    const row = (await ask(server, 'GET', `/outhashes/${METHOD}/o1`)).body;
    assert.deepEqual([row.taskhash, row.unihash], ['t1', hash(1)]);
    assert.equal((await ask(server, 'GET', `${TASK}?all=true`)).body.outhash, 'o1');
    const equivalence = { method: METHOD, taskhash: 't3', unihash: hash(3) };
    assert.equal((await ask(server, 'POST', '/equivalences', equivalence)).body.unihash, hash(3));
    assert.deepEqual((await ask(server, 'GET', '/gc')).body, { keep: 3, remove: 0, mark: null });
  });

  test('a siginfo of any length is sent at the pace of its reader', async (t) => {
    const server = await httpServer(t);
    const siginfo = 'Müll\n'.repeat(40 * KIB);
    await ask(server, 'POST', '/reports', { ...REPORT, outhash_siginfo: siginfo });
    assert.equal((await ask(server, 'GET', `/outhashes/${METHOD}/o1`)).body.outhash_siginfo, siginfo);
  });

  test('keys may hold whatever the protocol allows', async (t) => {
    const server = await httpServer(t);
    const [method, taskhash] = ['a/b?c#d%e é', '€'.repeat(85)];
    const { status } = await ask(server, 'POST', '/reports', { ...REPORT, method, taskhash });
    assert.equal(status, 200);
    const path = `/unihashes/${encodeURIComponent(method)}/${encodeURIComponent(taskhash)}`;
    assert.deepEqual((await ask(server, 'GET', path)).body, { method, taskhash, unihash: hash(1) });
  });
});

describe('PR values over HTTP', () => {
  const PACKAGE = '/packages/core2/pkg-1-r0';

  test('are looked up, given out and imported', async (t) => {
    const server = await httpServer(t);
    assert.equal(kind(await ask(server, 'GET', PACKAGE)), '404 not-found');
    assert.deepEqual((await ask(server, 'POST', `${PACKAGE}/values`, { checksum: 'a' })).body, { value: '0' });
    assert.deepEqual((await ask(server, 'POST', `${PACKAGE}/values`, { checksum: 'b' })).body, { value: '1' });
    assert.deepEqual((await ask(server, 'PUT', `${PACKAGE}/checksums/c`, { value: 12 })).body, { value: 12 });
    assert.deepEqual((await ask(server, 'GET', PACKAGE)).body, { value: '12' });
    assert.deepEqual((await ask(server, 'GET', `${PACKAGE}/checksums/b?history=true`)).body, { value: '1' });
    assert.equal(kind(await ask(server, 'GET', `${PACKAGE}/checksums/z`)), '404 not-found');
    const { datainfo } = (await ask(server, 'GET', `${PACKAGE}/values`)).body as { datainfo: { value: string }[] };
    assert.deepEqual(datainfo.map(({ value }) => value).sort(), ['0', '1', '12']);
    const newest = (await ask(server, 'GET', `${PACKAGE}/values?history=false`)).body as {
      datainfo: { value: string }[];
    };
    assert.deepEqual(
      newest.datainfo.map(({ value }) => value),
      ['12'],
    );
  });

  test('obey the listener', async (t) => {
    const shut = await httpServer(t, { rights: ',pr=read-only' });
    assert.equal(kind(await ask(shut, 'PUT', `${PACKAGE}/checksums/c`, { value: '1' })), '403 read-only');
    assert.deepEqual((await ask(shut, 'POST', `${PACKAGE}/values`, { checksum: 'a' })).body, { value: '0' });
    assert.equal(kind(await ask(shut, 'GET', PACKAGE)), '404 not-found', 'and was not stored');
    const none = await httpServer(t, { rights: ',pr=none' });
    assert.equal(kind(await ask(none, 'GET', PACKAGE)), '403 not-served');
    const hashes = await httpServer(t, { rights: ',services=hashserv' });
    assert.equal(kind(await ask(hashes, 'GET', PACKAGE)), '403 not-served');
    assert.equal(kind(await ask(hashes, 'GET', TASK)), '404 not-found');
  });
});

describe('users over HTTP', () => {
  test('are made, changed and deleted by those who may', async (t) => {
    const server = await httpServer(t, { flags: ADMIN });
    const made = await ask(server, 'POST', '/users', { username: 'anna', permissions: ['@read'] }, ROOT);
    assert.equal(made.status, 201);
    const login = (token: unknown) => ({ authorization: `Basic ${Buffer.from(`anna:${token}`).toString('base64')}` });
    const { token } = made.body;
    const user = { username: 'anna', permissions: ['@read'] };
    assert.deepEqual((await ask(server, 'GET', '/user', undefined, login(token))).body, user);
    assert.deepEqual((await ask(server, 'GET', '/users/anna', undefined, login(token))).body, user);
    assert.equal(kind(await ask(server, 'GET', '/users/root', undefined, login(token))), '403 forbidden');
    assert.equal(kind(await ask(server, 'GET', '/users', undefined, login(token))), '403 forbidden');
    assert.equal(kind(await ask(server, 'POST', '/users', user, ROOT)), '409 conflict');
    const changed = await ask(server, 'PUT', '/users/anna/permissions', { permissions: ['@report', '@read'] }, ROOT);
    assert.deepEqual(changed.body, { username: 'anna', permissions: ['@read', '@report'] });
    const renewed = await ask(server, 'POST', '/users/anna/token', undefined, login(token));
    assert.equal(kind(await ask(server, 'GET', '/user', undefined, login(token))), '401 unauthorized');
    assert.deepEqual((await ask(server, 'GET', '/user', undefined, login(renewed.body.token))).body.username, 'anna');
    const { users } = (await ask(server, 'GET', '/users', undefined, ROOT)).body as { users: { username: string }[] };
    assert.deepEqual(users.map(({ username }) => username).sort(), ['anna', 'root']);
    assert.deepEqual((await ask(server, 'DELETE', '/users/anna', undefined, ROOT)).body, { username: 'anna' });
    assert.equal(kind(await ask(server, 'DELETE', '/users/anna', undefined, ROOT)), '404 not-found');
    assert.equal(kind(await ask(server, 'GET', '/users/anna', undefined, ROOT)), '404 not-found');
  });

  test('what they do is in the log, and their tokens are not', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { flags: ADMIN, log });
    const { body } = await ask(server, 'POST', '/users', { username: 'anna', permissions: [] }, ROOT);
    const text = lines.join('\n');
    assert.match(text, /user made .*user=root name=anna/);
    assert.ok(!text.includes(String(body.token)) && !text.includes('secret'));
  });
});

describe('a login over HTTP', () => {
  test('that is wrong is answered late, as over the protocol, and slowed down together with it', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { flags: ADMIN, log, limits: { loginFailureDelayMs: 5 } });
    const wrong = { authorization: `Basic ${Buffer.from('root:wrong').toString('base64')}` };
    const said = await ask(server, 'GET', TASK, undefined, wrong);
    assert.equal(kind(said), '401 unauthorized');
    assert.match(String(said.headers.get('www-authenticate')), /^Basic realm=/);
    assert.match(lines.join('\n'), /login refused .*as=root/);
  });

  test('that is no Basic login with a user and a token is refused', async (t) => {
    const server = await httpServer(t, { flags: ADMIN });
    const basic = (bytes: string | Buffer) => `Basic ${Buffer.from(bytes as string).toString('base64')}`;
    for (const authorization of [
      'Bearer x',
      'Basic',
      'Basic !',
      basic('root'),
      basic(':x'),
      basic(Buffer.from([0x61, 0x3a, 0xff])),
    ])
      assert.equal(
        kind(await ask(server, 'GET', TASK, undefined, { authorization })),
        '401 unauthorized',
        authorization,
      );
  });

  test('is not looked at where others can read it, whether it is right or not', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { log, flags: { ...ADMIN, bind: ['http://0.0.0.0:0'] } });
    const wrong = { authorization: `Basic ${Buffer.from('root:wrong').toString('base64')}` };
    const [right, other] = [
      await ask(server, 'GET', '/users', undefined, ROOT),
      await ask(server, 'GET', '/users', undefined, wrong),
    ];
    assert.equal(kind(right), '403 insecure-login');
    assert.deepEqual(right.body, other.body);
    assert.equal(right.headers.get('www-authenticate'), null);
    assert.doesNotMatch(lines.join('\n'), /login refused/);
    assert.equal(kind(await ask(server, 'GET', '/users')), '403 forbidden', 'nobody is asked for a token there');
    const local = await httpServer(t, { flags: ADMIN });
    const forwarded = { ...ROOT, 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http' };
    assert.equal(kind(await ask(local, 'GET', '/users', undefined, forwarded)), '403 insecure-login');
    assert.equal(
      (await ask(local, 'GET', '/users', undefined, { ...forwarded, 'x-forwarded-proto': 'https' })).status,
      200,
    );
  });

  test('is asked for where a right is lacking', async (t) => {
    const server = await httpServer(t, { flags: { ...ADMIN, 'anon-perms': '@none' } });
    const said = await ask(server, 'GET', TASK);
    assert.equal(kind(said), '401 unauthorized');
    assert.match(String(said.headers.get('www-authenticate')), /^Basic/);
    assert.equal(kind(await ask(server, 'GET', TASK, undefined, ROOT)), '404 not-found');
  });

  test('of a client behind a proxy gives it no rights of this machine', async (t) => {
    const server = await httpServer(t);
    assert.equal((await ask(server, 'GET', '/gc')).status, 200);
    assert.equal(
      kind(await ask(server, 'GET', '/gc', undefined, { 'x-forwarded-for': '192.0.2.1' })),
      '401 unauthorized',
    );
    assert.equal(kind(await ask(server, 'GET', '/gc', undefined, { via: '1.1 proxy' })), '401 unauthorized');
  });
});

describe('every route', () => {
  /** A request to each that is right in itself. */
  const BODIES: Readonly<Record<string, unknown>> = {
    report: REPORT,
    reportEquivalence: { method: METHOD, taskhash: 't9', unihash: hash(9) },
    getPr: { checksum: 'c' },
    importValue: { value: '3' },
    newUser: { username: 'new', permissions: [] },
    setPermissions: { permissions: ['@read'] },
    startJob: { kind: 'clean-unused', parameters: { max_age_seconds: 5 } },
  };
  const VALUES: Readonly<Record<string, string>> = {
    method: METHOD,
    taskhash: 't1',
    username: 'x',
    pkgarch: 'a',
    version: 'v',
    id: '999',
  };
  const table = async (t: TestContext, rights: string, login: Record<string, string>, anonymous: string) => {
    const server = await httpServer(t, {
      rights,
      flags: { ...ADMIN, 'anon-perms': anonymous, 'login-failure-delay': 0.01 },
    });
    const said: Record<string, string> = {};
    for (const { id, method, path } of API_ROUTES) {
      const url = path.replaceAll(/:(\w+)/g, (_, name) => VALUES[name] ?? name);
      said[id] = kind(await ask(server, method, url, BODIES[id], login));
    }
    return said;
  };
  const JOB_ROUTES = ['getJobs', 'startJob', 'getJob', 'cancelJob'];
  const INSIGHT_ROUTES = API_ROUTES.filter(({ tag }) => tag === 'insights').map(({ id }) => id);
  const HASH_ROUTES = [
    ...['getUnihash', 'getOuthash', 'findTask', 'report', 'reportEquivalence', 'getGcStatus'],
    ...JOB_ROUTES,
    ...INSIGHT_ROUTES.filter((id) => id !== 'getChurn'),
  ];
  const all = (routes: readonly string[], answer: string) => Object.fromEntries(routes.map((id) => [id, answer]));
  const USER_ROUTES = API_ROUTES.filter(({ tag }) => tag === 'users').map(({ id }) => id);
  const PR_ANSWERS = {
    getPackage: '404 not-found',
    findPackages: '422 invalid',
    getVersion: '404 not-found',
    getPackageValues: '200',
    getChecksum: '404 not-found',
    getPr: '200',
    importValue: '200',
    getChurn: '200',
  };

  test('has a right that it asks for, and is open to who has it', async (t) => {
    assert.deepEqual(await table(t, '', {}, '@none'), {
      ...all([...HASH_ROUTES, ...USER_ROUTES], '401 unauthorized'),
      ...PR_ANSWERS,
    });
    assert.deepEqual(await table(t, '', {}, '@read'), {
      ...all([...HASH_ROUTES, ...USER_ROUTES], '401 unauthorized'),
      ...PR_ANSWERS,
      getUnihash: '404 not-found',
      getOuthash: '404 not-found',
      findTask: '422 invalid',
      report: '200',
      ...all(INSIGHT_ROUTES, '200'),
      getDiff: '404 not-found',
      getSharedState: '404 not-found',
    });
    assert.deepEqual(await table(t, '', ROOT, '@none'), {
      ...PR_ANSWERS,
      getUnihash: '404 not-found',
      getOuthash: '404 not-found',
      findTask: '422 invalid',
      report: '200',
      reportEquivalence: '200',
      getGcStatus: '200',
      getSelf: '200',
      getUsers: '200',
      newUser: '201',
      getUser: '404 not-found',
      deleteUser: '404 not-found',
      setPermissions: '404 not-found',
      refreshToken: '404 not-found',
      getJobs: '200',
      startJob: '202',
      getJob: '404 not-found',
      cancelJob: '404 not-found',
      ...all(INSIGHT_ROUTES, '200'),
      getDiff: '404 not-found',
      getSharedState: '404 not-found',
    });
  });

  test('of a read-only listener stores nothing', async (t) => {
    const said = await table(t, ',read-only', ROOT, '@none');
    assert.deepEqual(said, {
      getUnihash: '404 not-found',
      getOuthash: '404 not-found',
      findTask: '422 invalid',
      report: '200',
      reportEquivalence: '403 read-only',
      getGcStatus: '200',
      getPackage: '404 not-found',
      findPackages: '422 invalid',
      getVersion: '404 not-found',
      getPackageValues: '200',
      getChecksum: '404 not-found',
      getPr: '200',
      importValue: '403 read-only',
      getSelf: '200',
      getUsers: '200',
      newUser: '403 read-only',
      getUser: '404 not-found',
      deleteUser: '403 read-only',
      setPermissions: '403 read-only',
      refreshToken: '403 read-only',
      getJobs: '200',
      startJob: '403 read-only',
      getJob: '404 not-found',
      cancelJob: '404 not-found',
      ...all(INSIGHT_ROUTES, '200'),
      getDiff: '404 not-found',
      getSharedState: '404 not-found',
    });
  });
});

describe('a bad request', () => {
  test('is told what is wrong with it', async (t) => {
    const server = await httpServer(t, { limits: { maxHttpBodyBytes: 4 * KIB, maxJsonDepth: 8 } });
    const cases: readonly (readonly [string, string, unknown, string, RegExp])[] = [
      ['POST', '/reports', { ...REPORT, unihash: 'x' }, '422 invalid', /Invalid unihash/],
      ['POST', '/reports', { method: METHOD }, '422 invalid', /taskhash is missing/],
      ['POST', '/reports', [], '422 invalid', /must be an object/],
      ['POST', '/reports', 'null', '422 invalid', /must be an object/],
      ['POST', '/reports', '{"a":', '400 bad-request', /malformed JSON/],
      ['POST', '/reports', `{"a": ${'['.repeat(20)}${']'.repeat(20)}}`, '400 bad-request', /nest|deep/],
      ['POST', '/reports', { ...REPORT, PN: 'x'.repeat(8 * KIB) }, '413 body-too-large', /too long/],
      ['GET', `${TASK}?al=true`, undefined, '422 invalid', /no parameter "al"/],
      ['GET', `${TASK}?all=yes`, undefined, '422 invalid', /all must be boolean/],
      ['GET', `${TASK}?all=true&all=true`, undefined, '422 invalid', /given twice/],
      ['GET', '/unihashes/m/%zz', undefined, '400 bad-request', /path/],
      ['GET', `/unihashes/m/${'x'.repeat(300)}`, undefined, '422 invalid', /taskhash must be/],
      ['GET', '/unihashes/m/a%00b', undefined, '422 invalid', /control characters/],
      ['GET', '/nothing', undefined, '404 not-found', /nothing at/],
      ['PATCH', '/users/x', {}, '405 method-not-allowed', /GET, HEAD, DELETE/],
      ['GET', '/jobs/x', undefined, '422 invalid', /id must be integer/],
      ['GET', '/jobs?limit=1000', undefined, '422 invalid', /limit must be <= 100/],
      ['GET', '/jobs?service=x', undefined, '422 invalid', /service must be hashserv or prserv/],
      [
        'POST',
        '/jobs',
        { kind: 'backup', parameters: { folder: '/tmp' } },
        '401 unauthorized',
        /only the user that the server runs as/,
      ],
      ['DELETE', '/status', undefined, '405 method-not-allowed', /GET, HEAD/],
      ['PUT', '/packages/a/v/checksums/c', { value: -1 }, '422 invalid', /value/],
    ];
    for (const [method, path, body, said, detail] of cases) {
      const answer = await ask(server, method, path, body);
      assert.equal(kind(answer), said, `${method} ${path}`);
      assert.match(String(answer.body.detail), detail, `${method} ${path}`);
    }
    const text = await ask(server, 'POST', '/reports', JSON.stringify(REPORT), { 'content-type': 'text/plain' });
    assert.equal(kind(text), '415 unsupported-media-type');
    assert.equal(kind(await ask(server, 'POST', '/reports')), '400 bad-request');
  });

  test('of any bytes never ends the server, nor is it answered as if it were right', async (t) => {
    const { log, lines } = recordLog();
    const server = await httpServer(t, { log });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...API_ROUTES),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(
          fc.tuple(fc.constantFrom('content-type', 'expect', 'transfer-encoding', 'authorization', 'x'), fc.string()),
          {
            maxLength: 4,
          },
        ),
        async ({ method, path }, body, headers) => {
          const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll(/[^ -~]/g, '?')}\r\n`).join('');
          const head = `${method} /api/v1${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n${lines}Connection: close\r\n\r\n`;
          const answer = await rawRequest(server, Buffer.concat([Buffer.from(head, 'latin1'), body]));
          assert.ok(
            answer === null || (answer.status >= 200 && answer.status < 500),
            `${answer?.status} ${answer?.body}`,
          );
        },
      ),
      { numRuns: 200 },
    );
    assert.deepEqual(
      lines.filter((line) => line.startsWith('error')),
      [],
    );
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  test('of names that objects have by themselves is none', async (t) => {
    const server = await httpServer(t);
    const body = '{"__proto__": {"unihash": "x"}, "constructor": 1, "method": "m", "taskhash": "t", "outhash": "o"}';
    assert.equal(kind(await ask(server, 'POST', '/reports', body)), '422 invalid');
    assert.equal(kind(await ask(server, 'GET', '/unihashes/__proto__/constructor')), '404 not-found');
  });
});

describe('/api/v1/status', () => {
  test('says how the server is, and to administrators where everything is', async (t) => {
    const server = await httpServer(t, { flags: ADMIN });
    const { body } = await ask(server, 'GET', '/status');
    assert.equal(body.ready, true);
    assert.equal(body.clients, 1);
    assert.deepEqual(body.databases, {
      hashserv: `${server.folder}/hashserv.db`,
      prserv: `${server.folder}/prserv.sqlite3`,
    });
    assert.deepEqual(body.mirrors, []);
    assert.deepEqual(body.jobs, { running: {}, waiting: {}, waiting_since: null, last_failed: null });
    assert.deepEqual(body.gc, { keep: 0, remove: 0, mark: null });
    const [listener] = body.listeners as { address: string; hashserv: string }[];
    assert.deepEqual([listener!.address, listener!.hashserv], [server.url, 'read-write']);
    const outside = await ask(server, 'GET', '/status', undefined, { 'x-real-ip': '192.0.2.1' });
    assert.deepEqual(Object.keys(outside.body), [
      'version',
      'started',
      'uptime_seconds',
      'ready',
      'clients',
      'requests',
      'upstreams',
      'warnings',
    ]);
    const shut = await httpServer(t, { rights: ',anon-perms=@none' });
    assert.equal(kind(await ask(shut, 'GET', '/status')), '401 unauthorized');
  });
});

test('insights are paths of their own, and take numbers behind the question mark', async (t) => {
  const server = await httpServer(t);
  await ask(server, 'POST', '/reports', REPORT);
  const { status, body } = await ask(server, 'GET', '/insights/age?limit=5&max_age_seconds=0.5');
  assert.equal(status, 200);
  assert.equal((body.months as { reports: number }[])[0]!.reports, 1);
  assert.equal((body.gc as { max_age_seconds: number }).max_age_seconds, 0.5);
  await ask(server, 'POST', '/packages/core2-64/zlib-1-r0/values', { checksum: 'c' });
  const churn = await ask(server, 'GET', '/insights/churn?limit=5&days=7&sort=left');
  assert.equal((churn.body.recipes as { recipe: string }[])[0]!.recipe, 'zlib');
  assert.equal(churn.body.days, 7);
  assert.equal(kind(await ask(server, 'GET', '/insights/churn?sort=name')), '422 invalid');
  const refused = await ask(server, 'GET', '/insights/age?limit=many');
  assert.equal(kind(refused), '422 invalid');
  assert.match(String(refused.body.detail), /limit must be integer/);
});

test('a job is started, shown and listed, of either service', async (t) => {
  const server = await httpServer(t);
  const ended = async (id: number, service: string) => {
    for (;;) {
      const { body } = await ask(server, 'GET', `/jobs/${id}?log=true&service=${service}`);
      if (body.state !== 'waiting' && body.state !== 'running') return body;
    }
  };
  const { status, body } = await ask(server, 'POST', '/jobs', {
    kind: 'clean-unused',
    parameters: { max_age_seconds: 5 },
  });
  assert.equal(status, 202);
  const job = await ended(Number(body.id), 'hashserv');
  assert.deepEqual([job.state, job.result], ['done', { count: 0 }]);
  const removal = { kind: 'remove-prs', parameters: { version: 'p-1-r0' } };
  const { body: other } = await ask(server, 'POST', '/jobs?service=prserv', removal);
  assert.equal((await ended(Number(other.id), 'prserv')).state, 'done');
  const listed = async (query: string) =>
    ((await ask(server, 'GET', `/jobs${query}`)).body.jobs as { id: number }[]).map(({ id }) => id);
  assert.deepEqual(await listed('?states=done,failed&limit=5'), [body.id]);
  assert.deepEqual(await listed('?service=prserv'), [other.id]);
  assert.deepEqual(await listed('?service=prserv&states=waiting'), []);
});

test('the description lists every route, and is told to everybody', async (t) => {
  const server = await httpServer(t, { flags: { 'anon-perms': '@none' } });
  const { body } = await ask(server, 'GET', '/openapi.json');
  const paths = body.paths as Record<string, Record<string, { operationId: string }>>;
  const told = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.deepEqual(
    told.sort(),
    [...API_ROUTES.map(({ id }) => id), 'getStatus', 'getHistory', 'getSession', 'signIn', 'signOut'].sort(),
  );
});

test('a database that fails is told as 503, to be asked again, and nobody is told where it is', async (t) => {
  const server = await httpServer(t);
  fs.rmSync(`${server.folder}/hashserv.db`);
  let said: Said;
  let n = 0;
  do said = await ask(server, 'POST', '/reports', { ...REPORT, taskhash: `t${n++}` });
  while (said.status === 200);
  assert.equal(kind(said), '503 storage');
  assert.equal(said.headers.get('retry-after'), '1');
  assert.doesNotMatch(JSON.stringify(said.body), new RegExp(server.folder));
});

test('a connection whose listener is given less is closed, and comes back with less', async (t) => {
  const server = await httpServer(t);
  const reader = new AnswerReader(server.connect());
  reader.socket.write('GET /api/v1/gc HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal((await reader.next())!.status, 200);
  await server.server.takeOver(configIn(server.folder, { bind: ['http://127.0.0.1:0,anon-perms=@read'] }));
  assert.equal(await reader.next(), null);
  assert.equal(kind(await ask(server, 'GET', '/gc')), '401 unauthorized');
});
