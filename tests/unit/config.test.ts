import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { formatAddress, isLocalAddress } from '../../lib/asyncrpc/transport/address.ts';
import { ConfigError } from '../../lib/errors.ts';
import { type Config, parseSyncMode, resolveConfig } from '../../lib/settings/config.ts';
import { environmentName, type Option } from '../../lib/settings/options.ts';
import { SERVE_OPTIONS } from '../../lib/settings/serve-options.ts';

/** For each option that is not a limit: two settings and what in the Config shows which one was taken. */
const SHOWN: Readonly<Record<string, readonly [one: string, other: string, shown: (config: Config) => unknown]>> = {
  bind: ['unix://a', 'unix://b', (config) => config.binds],
  hashserv: ['true', 'false', (config) => config.hashserv === null],
  prserv: ['true', 'false', (config) => config.prserv === null],
  workers: ['2', '3', (config) => config.workers],
  'worker-timeout': ['5', '0.5', (config) => config.workerTimeoutMs],
  history: ['true', 'false', (config) => config.history],
  'self-check': ['true', 'false', (config) => config.selfCheck],
  json: ['true', 'false', (config) => config.json],
  'hashserv-db': ['a', 'b', (config) => config.hashserv?.file],
  'prserv-db': ['a', 'b', (config) => config.prserv?.file],
  init: ['true', 'false', (config) => config.init],
  'sync-mode': ['immediate', 'on_shutdown', (config) => config.hashserv?.syncMode],
  'hashserv-sync-mode': ['periodic:1', 'on_shutdown', (config) => config.hashserv?.syncMode],
  'prserv-sync-mode': ['periodic:1', 'on_shutdown', (config) => config.prserv?.syncMode],
  'hashserv-upstream': ['unix://up', 'h:1', (config) => config.hashserv?.upstream],
  'prserv-upstream': ['unix://up', 'h:1', (config) => config.prserv?.upstream],
  'hashserv-upstream-user': ['a', 'b', (config) => config.upstream.logins.hashserv.username],
  'hashserv-upstream-token': ['a', 'b', (config) => config.upstream.logins.hashserv.token],
  'prserv-upstream-user': ['a', 'b', (config) => config.upstream.logins.prserv.username],
  'prserv-upstream-token': ['a', 'b', (config) => config.upstream.logins.prserv.token],
  'upstream-timeout': ['1', '2.5', (config) => config.upstream.timeoutMs],
  'upstream-report-timeout': ['1', '2.5', (config) => config.upstream.reportTimeoutMs],
  'upstream-connect-timeout': ['1', '2.5', (config) => config.upstream.connectTimeoutMs],
  'upstream-miss-ttl': ['0', '2.5', (config) => config.upstream.missTtlMs],
  'trust-proxy': ['unix', '10.0.0.0/8', (config) => config.trustProxy],
  'allow-origin': ['https://a', 'https://b:1', (config) => config.allowOrigins],
  page: ['true', 'false', (config) => config.binds.at(-1)!.rights.page],
  'user-header': ['a', 'b', (config) => config.page.userHeader],
  'page-pull-from': ['a:1', 'b:1', (config) => config.page.pullFrom],
  mirror: ['a:1,every=1m', 'b:1', (config) => config.mirrors],
  ca: ['a', 'b', (config) => config.upstream.caFile],
  'tls-cert': ['a', 'b', (config) => config.binds[0]!.tls?.certFile],
  'tls-key': ['a', 'b', (config) => config.binds[0]!.tls?.keyFile],
  'tls-client-ca': ['a', 'b', (config) => config.binds[0]!.tls?.clientCaFile],
  'upstream-tls-cert': ['a', 'b', (config) => config.upstream.certificate?.certFile],
  'upstream-tls-key': ['a', 'b', (config) => config.upstream.certificate?.keyFile],
  'cache-size': ['1MiB', '2MiB', (config) => config.cacheBytes],
  'job-workers': ['1', '7', (config) => config.jobs.workers],
  'max-waiting-jobs': ['1', '7', (config) => config.jobs.maxWaiting],
  'max-waiting-insights': ['1', '7', (config) => config.insights.maxWaiting],
  'insight-timeout': ['1', '2.5', (config) => config.insights.timeoutMs],
  'insight-cache': ['0', '2.5', (config) => config.insights.keepMs],
  'sstate-dir': ['a', 'b', (config) => config.sharedState.folder],
  'sstate-mirror': ['http://a', 'https://b', (config) => config.sharedState.mirror],
  'sstate-name': ['a{unihash}', 'b{unihash}', (config) => config.sharedState.names],
  'sstate-pkgarch': ['a', 'b', (config) => config.sharedState.pkgarchs],
  'jobs-db': ['a', 'b', (config) => config.jobs.file],
  'read-only': ['true', 'false', (config) => config.readOnly],
  immutable: ['true', 'false', (config) => config.immutable],
  'anon-perms': ['@read', '@report', (config) => config.anonymousPermissions],
  'admin-user': ['a', 'b', (config) => config.admin?.username],
  'admin-password': ['a', 'b', (config) => config.admin?.password],
  'log-level': ['error', 'debug', (config) => config.logLevel],
  'log-format': ['text', 'json', (config) => config.logFormat],
  'access-log': ['a', '-', (config) => config.accessLog],
  'socket-mode': ['0660', '600', (config) => config.binds[0]!.access.mode],
  'socket-group': ['a', '12', (config) => config.binds[0]!.access.group],
};

const LIMIT_SETTINGS = { integer: ['7', '8'], bytes: ['7KiB', '8KiB'], seconds: ['7', '8.5'] } as const;

/** Limits that would not go together with the others' defaults at such values. */
const FITTING: Readonly<Record<string, readonly [string, string]>> = {
  'max-line': ['32KiB', '48KiB'],
  'max-message': ['15MiB', '17MiB'],
  'max-partial': ['32MiB', '96MiB'],
  'max-held': ['96MiB', '256MiB'],
  'max-in-flight-bytes': ['64KiB', '128KiB'],
  'output-pause': ['64KiB', '128KiB'],
  'output-limit': ['2MiB', '4MiB'],
  'max-json-keys': ['20', '30'],
};

/** Settings that are wrong for a type, with what the refusal expects. */
const WRONG: Readonly<Record<Option['type'], readonly (readonly [given: string, expected: RegExp])[]>> = {
  boolean: [
    ['maybe', /true or false/],
    ['2', /true or false/],
  ],
  integer: [
    ['0', /positive whole number/],
    ['-1', /positive whole/],
    ['1.5', /positive whole/],
    ['x', /positive whole/],
    ['1e3', /positive whole/],
  ],
  seconds: [
    ['0', /positive number of seconds/],
    ['-1', /positive number/],
    ['1s', /positive number/],
    ['x', /positive number/],
  ],
  bytes: [
    ['x', /a size in bytes/],
    ['-1', /a size/],
    ['1 TB', /a size/],
    ['1.5MiB', /a size/],
  ],
  'seconds-or-0': [
    ['-1', /number of seconds/],
    ['1s', /number of seconds/],
    ['x', /number of seconds/],
  ],
  number: [],
  string: [],
  strings: [],
  listeners: [],
};

/**
 * What an option is only taken with: an administrator is a name and a password, a certificate has a key, and only what
 * is read may be immutable.
 */
const COMPANY: Readonly<Record<string, Record<string, string>>> = {
  'tls-cert': { 'tls-key': 'k', bind: 'tls://:1' },
  'tls-key': { 'tls-cert': 'c', bind: 'wss://h' },
  'tls-client-ca': { 'tls-cert': 'c', 'tls-key': 'k', bind: 'tls://:1' },
  'upstream-tls-cert': { 'upstream-tls-key': 'k' },
  'upstream-tls-key': { 'upstream-tls-cert': 'c' },
  page: { bind: 'http://localhost:1' },
  'user-header': { 'trust-proxy': 'unix' },
  immutable: { 'read-only': 'true' },
  'admin-user': { 'admin-password': 'p' },
  'admin-password': { 'admin-user': 'u' },
};
const company = (name: string) => COMPANY[name] ?? {};

/** As a file would give it. */
const readAsYaml = (type: Option['type'], text: string): unknown =>
  type === 'string' || type === 'strings' || type === 'listeners' || type === 'bytes' ? text : JSON.parse(text);

describe('settings', () => {
  // Files that hold secrets: config-file.test.ts.
  for (const option of SERVE_OPTIONS.filter(({ name }) => !name.endsWith('-file'))) {
    const { name, limit, type } = option;
    const [one, other, shown] = limit
      ? ([...(FITTING[name] ?? LIMIT_SETTINGS[type as 'integer']), (config: Config) => config.limits[limit]] as const)
      : (SHOWN[name] ?? assert.fail(`--${name} is in no table of this test`));
    const get = (flags: Record<string, unknown>, environment: Record<string, string>, file: string | null = null) =>
      shown(resolveConfig({ ...company(name), ...flags }, environment, undefined, file === null ? null : inFile(file)));
    const inFile = (text: string) => ({ path: 'b.yaml', settings: { [name]: readAsYaml(type, text) } });

    test(`--${name}: the flag goes before the environment, that before the file, and that before the default`, () => {
      const [first, second] = [get({ [name]: one }, {}), get({ [name]: other }, {})];
      assert.notDeepEqual(first, second);
      assert.deepEqual(get({ [name]: one }, { [environmentName(name)]: other }), first);
      assert.deepEqual(get({}, { [environmentName(name)]: other }), second);
      assert.deepEqual(get({}, { [environmentName(name)]: other }, one), second);
      assert.deepEqual(get({}, {}, one), first);
      if (Object.keys(company(name)).length > 0) return;
      assert.deepEqual(get({}, { [environmentName(name)]: '' }), get({}, {}));
      if (option.default === undefined) return;
      const standard = Array.isArray(option.default) ? option.default : String(option.default);
      assert.deepEqual(get({ [name]: standard }, {}), get({}, {}));
    });

    for (const [given, expected] of option.choices ? ([['wrong', /one of/]] as const) : WRONG[type]) {
      test(`--${name} ${given} is refused by the name it was set under`, () => {
        const refusedBy = (flags: Record<string, unknown>, environment: Record<string, string>, where: string) =>
          assert.throws(
            () => resolveConfig(flags, environment),
            (error: Error) => {
              assert.ok(error instanceof ConfigError);
              assert.ok(error.message.includes(where) && error.message.includes(given), error.message);
              assert.match(error.message, expected);
              return true;
            },
          );
        refusedBy({ [name]: given }, {}, `--${name}`);
        refusedBy({}, { [environmentName(name)]: given }, environmentName(name));
      });
    }

    if (type !== 'strings' && type !== 'listeners' && type !== 'boolean')
      test(`--${name} given twice is refused`, () =>
        assert.throws(() => resolveConfig({ [name]: [one, other] }, {}), new RegExp(`--${name} is given 2 times`)));
  }

  for (const [given, both] of [
    [{ 'max-line': '300KiB' }, ['max-line', 'max-in-flight-bytes']],
    [{ 'max-line': '16KiB' }, ['max-line', '32KiB']],
    [{ 'max-message': '65MiB' }, ['max-message', 'max-partial']],
    [{ 'max-partial': '200MiB' }, ['max-partial', 'max-held']],
    [{ 'output-pause': '5MiB' }, ['output-pause', 'output-limit']],
    [{ 'output-pause': '1KiB' }, ['output-pause', '64KiB']],
    [{ 'max-json-depth': '3' }, ['max-json-depth', '4']],
    [{ 'max-json-keys': '15' }, ['max-json-keys', '16']],
  ] as const) {
    test(`limits that do not go together are refused at start: ${JSON.stringify(given)}`, () => {
      assert.throws(
        () => resolveConfig(given, {}),
        (error: Error) => error instanceof ConfigError && both.every((text) => error.message.includes(text)),
      );
    });
  }

  test('no address takes more than half of the connections there are, unless told to', () => {
    assert.equal(resolveConfig({}, {}, 1024).limits.maxConnectionsPerAddress, (1024 - 128) / 2);
    assert.equal(
      resolveConfig({ 'max-connections-per-address': '800' }, {}, 1024).limits.maxConnectionsPerAddress,
      800,
    );
    assert.equal(resolveConfig({}, {}, 10).limits.maxConnectionsPerAddress, 1);
  });

  test('every limit there is has an option, with the default of the limits', () => {
    const options = SERVE_OPTIONS.filter(({ limit }) => limit);
    assert.deepEqual(options.map(({ limit }) => limit).sort(), Object.keys(DEFAULT_LIMITS).sort());
    assert.deepEqual(resolveConfig({}, {}).limits, DEFAULT_LIMITS);
  });

  test('no two options share a name, and each is described', () => {
    assert.equal(new Set(SERVE_OPTIONS.map(({ name }) => name)).size, SERVE_OPTIONS.length);
    for (const { name, describe } of SERVE_OPTIONS) assert.ok(describe.length > 10, name);
  });

  const BAD: readonly (readonly [flags: Record<string, unknown>, says: RegExp])[] = [
    [{ bind: ['nonsense'] }, /--bind: address "nonsense".*expected unix:/],
    [{ 'allow-origin': ['*'] }, /--allow-origin: "\*" is not an origin/],
    [{ 'allow-origin': ['null'] }, /--allow-origin: "null"/],
    [{ 'allow-origin': ['https://a/path'] }, /--allow-origin: /],
    [{ 'hashserv-upstream': 'nonsense' }, /--hashserv-upstream: .*"nonsense"/],
    [{ 'prserv-upstream': 'nonsense' }, /--prserv-upstream: .*"nonsense"/],
    [{ bind: ['h:1'], 'prserv-upstream': 'h:1' }, /--prserv-upstream h:1 is this server itself/],
    [{ bind: [] }, /--bind: no address/],
    [
      { bind: ['tls://h:1'], 'hashserv-upstream': 'tls://h:1' },
      /--hashserv-upstream tls:\/\/h:1 is this server itself/,
    ],
    [{ 'tls-cert': 'c' }, /--tls-cert: its key is missing; name it with tls-key/],
    [{ 'tls-key': 'k' }, /--tls-key: its certificate is missing; name it with tls-cert/],
    [{ 'upstream-tls-cert': 'c' }, /--upstream-tls-cert: its key is missing/],
    [{ 'tls-cert': 'c', 'tls-key': 'k' }, /--tls-cert: nothing listens with TLS/],
    [{ bind: ['h:1', 'ws://h'], 'tls-client-ca': 'a' }, /--tls-client-ca: nothing listens with TLS/],
    [{ hashserv: false, prserv: false }, /--no-hashserv and --no-prserv/],
    [{ 'hashserv-db': '' }, /--hashserv-db: the file name is empty/],
    [{ 'prserv-db': '' }, /--prserv-db/],
    [{ 'jobs-db': '' }, /--jobs-db: the file name is empty/],
    [{ 'prserv-db': 'x/a.db', 'jobs-db': './x/a.db' }, /--jobs-db: .*is a database that is served/],
    [{ 'anon-perms': '@read,@user-admin' }, /--anon-perms: @user-admin/],
    [{ 'anon-perms': '@all' }, /--anon-perms: @all/],
    [{ 'anon-perms': 'read' }, /--anon-perms: unknown permission read/],
    [{ 'admin-user': 'x' }, /--admin-user without a password: set BAKESERV_ADMIN_PASSWORD/],
    [{ 'admin-password': 'hidden' }, /--admin-password without --admin-user/],
    [{ 'admin-user': 'x', 'admin-password': 'y', 'read-only': true }, /--admin-user .*--read-only/],
    ...['', 'sometimes', 'periodic', 'periodic:', 'periodic:0', 'periodic:-1', 'periodic:1e9', 'off'].flatMap(
      (mode) => [
        [{ 'sync-mode': mode }, /--sync-mode: /] as const,
        ...(mode ? [[{ 'prserv-sync-mode': mode }, /--prserv-sync-mode: /] as const] : []),
      ],
    ),
  ];
  for (const [flags, says] of BAD) {
    test(`${JSON.stringify(flags)} is refused`, () => {
      assert.throws(
        () => resolveConfig(flags, {}),
        (error: Error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, says);
          assert.ok(!error.message.includes('hidden'), 'a password is not shown');
          return true;
        },
      );
    });
  }

  test('jobs are kept beside the first database file, or in the working folder where there is none', () => {
    const fileOf = (flags: Record<string, unknown>) => resolveConfig(flags, {}).jobs.file;
    assert.equal(fileOf({ 'hashserv-db': '/a/h.db', 'prserv-db': '/b/p.db' }), '/a/bakeserv-jobs.db');
    assert.equal(fileOf({ 'hashserv-db': 'postgres://u@h/d', 'prserv-db': '/b/p.db' }), '/b/bakeserv-jobs.db');
    const nowhere = { 'hashserv-db': 'postgres://u@h/d', 'prserv-db': 'postgres://u@h/d' };
    assert.equal(fileOf(nowhere), `${process.cwd()}/bakeserv-jobs.db`);
    assert.equal(fileOf({ ...nowhere, 'jobs-db': '/c/jobs' }), '/c/jobs');
  });

  test('a service’s own sync mode goes before the common one', () => {
    const config = resolveConfig({ 'sync-mode': 'on_shutdown', 'hashserv-sync-mode': 'periodic:2.5' }, {});
    assert.deepEqual(config.hashserv?.syncMode, { kind: 'periodic', seconds: 2.5 });
    assert.deepEqual(config.prserv?.syncMode, { kind: 'on_shutdown' });
    assert.deepEqual(parseSyncMode('immediate', 'x'), { kind: 'immediate' });
  });

  test('connections are never more than the open files allow', () => {
    assert.equal(resolveConfig({}, {}, 1024).limits.maxConnections, 1024 - 128);
    assert.equal(resolveConfig({}, {}, 100_000).limits.maxConnections, 4096);
    assert.equal(resolveConfig({ 'max-connections': '50' }, {}, 1024).limits.maxConnections, 50);
    assert.equal(resolveConfig({}, {}, 10).limits.maxConnections, 1);
  });

  test('without any a server listens on a Unix socket and on loopback, nowhere else', () => {
    const { binds, anonymousPermissions } = resolveConfig({}, {});
    assert.deepEqual(
      binds.map(({ address }) => [formatAddress(address), isLocalAddress(address)]),
      [
        ['unix://./hashserve.sock', true],
        ['127.0.0.1:8585', true],
      ],
    );
    assert.equal(anonymousPermissions, null);
  });

  test('the Config cannot be changed', () => {
    const config = resolveConfig({}, {});
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.limits));
  });
});
