import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Outcome, openSite, type Site } from './client-helpers.ts';

function stdoutOf({ status, stdout, stderr }: Outcome): string {
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

const MISS = { status: 1, signal: null, stdout: '', stderr: '' };

describe('bakeserv-prclient against a server', { concurrency: 2 }, () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  test('get-pr counts up; test-pr, test-package and max-package-pr ask without creating', async () => {
    assert.deepEqual(await site.pr(['test-package', 'a-1-r0', 'core2']), MISS);
    assert.deepEqual(await site.pr(['max-package-pr', 'a-1-r0', 'core2']), MISS);
    assert.equal(stdoutOf(await site.pr(['get-pr', 'a-1-r0', 'core2', 'c0'])), '0\n');
    assert.equal(stdoutOf(await site.pr(['get-pr', 'a-1-r0', 'core2', 'c1'])), '1\n');
    assert.deepEqual(await site.pr(['test-pr', 'a-1-r0', 'core2', 'c2']), MISS);
    assert.equal(stdoutOf(await site.pr(['test-pr', 'a-1-r0', 'core2', 'c1'])), '1\n');
    assert.equal(stdoutOf(await site.pr(['test-package', 'a-1-r0', 'core2'])), 'true\n');
    assert.equal(stdoutOf(await site.pr(['max-package-pr', 'a-1-r0', 'core2'])), '1\n');
    // With history a checksum keeps its value; without it never goes down.
    assert.equal(stdoutOf(await site.pr(['get-pr', '--history', 'a-1-r0', 'core2', 'c0'])), '0\n');
    assert.equal(stdoutOf(await site.pr(['get-pr', 'a-1-r0', 'core2', 'c0'])), '2\n');
    assert.equal(stdoutOf(await site.pr(['test-pr', 'a-1-r0', 'core2', 'c0', '--history'])), '0\n');
    assert.equal(stdoutOf(await site.pr(['test-pr', 'a-1-r0', 'core2', 'c0', '--json'])), '{"value": "2"}\n');
  });

  test('find lists packages by a part of their version', async () => {
    for (const [version, pkgarch] of [
      ['find-me-1-r0', 'core2'],
      ['find-me-1-r0', 'all'],
      ['find-you-1-r0', 'all'],
    ])
      await site.pr(['import-one', version!, pkgarch!, 'c', '3']);
    assert.equal(
      stdoutOf(await site.pr(['find', 'd-me'])),
      'find-me-1-r0 all 3 (values: 1)\nfind-me-1-r0 core2 3 (values: 1)\n',
    );
    const few = await site.pr(['find', 'find-', '--limit', '1', '--json']);
    assert.deepEqual([JSON.parse(few.stdout).cut, JSON.parse(few.stdout).packages.length], [true, 1]);
    assert.equal((await site.pr(['find', 'Find-'])).status, 1);
  });

  test('import-one stores a value, and a wrong one is refused', async () => {
    assert.equal(stdoutOf(await site.pr(['import-one', 'i-1', 'all', 'c', '7.2'])), '7.2\n');
    const refused = await site.pr(['import-one', 'i-1', 'all', 'c', 'seven']);
    assert.deepEqual(
      [refused.status, refused.stderr],
      [1, 'ERROR: import-one: value must be a non-negative integer or dotted integers of at most 9 digits each\n'],
    );
  });

  test('is-readonly and ping', async () => {
    assert.equal(stdoutOf(await site.pr(['is-readonly'])), 'false\n');
    assert.match(stdoutOf(await site.pr(['ping', '-n', '2'])), /^(Ping time: [\d.]+ ms\n){2}Pings: {5}2\n/);
  });

  test('the server is named by option or by PRSERV_SERVER_ADDR', async () => {
    assert.equal(stdoutOf(await site.pr(['--server', site.tcp, 'is-readonly'])), 'false\n');
    const env = { PRSERV_SERVER_ADDR: site.tcp };
    assert.equal(stdoutOf(await site.pr(['is-readonly'], { env, bare: true })), 'false\n');
    const child = await site.pr(['is-readonly', '--server', '127.0.0.1:1']);
    assert.deepEqual(
      [child.status, child.stderr],
      [
        1,
        'ERROR: cannot connect to 127.0.0.1:1: nobody is listening; start one with "bakeserv serve" or name it with --server\n',
      ],
    );
    assert.equal((await site.pr(['frob'])).status, 2);
    assert.equal((await site.pr(['export', '--format', 'xml'])).status, 2);
  });

  test('history shows every checksum and value in order, list the maximum of each package', async () => {
    for (const [checksum, value] of [
      ['x', '9'],
      ['y', '10'],
      ['x', '2'],
    ] as const) {
      await site.pr(['import-one', 'openssl-3.2-r0', 'core2', checksum, value]);
    }
    assert.equal(stdoutOf(await site.pr(['history', 'openssl-3.2-r0', 'core2'])), 'x 2\nx 9\ny 10\n');
    assert.deepEqual(await site.pr(['history', 'openssl-3.2-r0', 'none']), MISS);
    assert.equal(stdoutOf(await site.pr(['list', '--like', 'OpenSSL'])), 'openssl-3.2-r0 core2 10\n');
    assert.equal(
      stdoutOf(await site.pr(['list', '--like', 'openssl', '--json'])),
      '[{"version": "openssl-3.2-r0", "pkgarch": "core2", "value": "10"}]\n',
    );
  });
});

describe('bakeserv-prclient carries PR rows from server to server', () => {
  let site: Site;
  const ROWS = [
    ['zlib-1.3-r0', 'core2', 'aaa', '0'],
    ['zlib-1.3-r0', 'core2', 'bbb', '9'],
    ['zlib-1.3-r0', 'core2', 'bbb', '10'],
    ['zlib-1.3-r0', 'all', 'aaa', '3.1'],
    ['gcc$cross-13-r0', 'x86-64', 'ccc', '4'],
  ] as const;

  before(async () => {
    site = await openSite();
    const lines = ROWS.map(
      ([version, pkgarch, checksum, value]) => `${JSON.stringify({ version, pkgarch, checksum, value })}\n`,
    );
    assert.equal(
      stdoutOf(await site.pr(['import', '-', '--format', 'jsonl'], { stdin: lines.join('') })),
      'Stored:        5\nAlready there: 0\nRefused:       0\n',
    );
  });
  after(() => site.close());

  test('a dump is what BitBake writes and reads', async () => {
    const dump = await site.pr(['export', '--history', '--lockdown']);
    assert.equal(
      dump.stdout,
      `PRSERV_LOCKDOWN = "1"

PRAUTO$gcc$cross-13-r0$x86-64$ccc = "4"
PRAUTO_gcc$cross-13-r0_x86-64 = "4"
PRAUTO$zlib-1.3-r0$all$aaa = "3.1"
PRAUTO$zlib-1.3-r0$core2$aaa = "0"
PRAUTO$zlib-1.3-r0$core2$bbb = "10"
PRAUTO$zlib-1.3-r0$core2$bbb = "9"
PRAUTO_zlib-1.3-r0_all = "3.1"
PRAUTO_zlib-1.3-r0_core2 = "10"
`,
    );
    assert.equal(dump.stderr, 'Exported 5 rows\n');
  });

  test('without history the largest value of each package is exported, and filters choose', async () => {
    const newest = await site.pr(['export', '--format', 'csv', '--version', 'zlib-1.3-r0']);
    assert.equal(newest.stdout, 'version,pkgarch,checksum,value\nzlib-1.3-r0,all,aaa,3.1\nzlib-1.3-r0,core2,bbb,10\n');
    const filtered = await site.pr([
      'export',
      '--format',
      'jsonl',
      '--history',
      '--pkgarch',
      'core2',
      '--checksum',
      'aaa',
    ]);
    assert.equal(filtered.stdout, '{"version":"zlib-1.3-r0","pkgarch":"core2","checksum":"aaa","value":"0"}\n');
  });

  for (const suffix of ['inc', 'json', 'jsonl', 'csv']) {
    test(`export, import into a fresh server, export: byte for byte the same as .${suffix}`, async () => {
      const file = site.file(`rows.${suffix}`);
      assert.equal((await site.pr(['export', '--history', '--colinfo', file])).status, 0);
      const fresh = await openSite();
      try {
        assert.equal(
          stdoutOf(await fresh.pr(['import', file])),
          'Stored:        5\nAlready there: 0\nRefused:       0\n',
        );
        assert.equal(
          stdoutOf(await fresh.pr(['import', file, '--json'])),
          '{"stored": 0, "present": 5, "refused": 0}\n',
        );
        const back = fresh.file(`back.${suffix}`);
        await fresh.pr(['export', '--history', '--colinfo', back]);
        assert.equal(fs.readFileSync(back, 'utf8'), fs.readFileSync(file, 'utf8'));
      } finally {
        await fresh.close();
      }
    });
  }

  test('nothing of a file with a syntax error is imported, unless --keep-going', async () => {
    const file = site.file(
      'bad.inc',
      'PRAUTO$b-1$all$c = "1"\nPRAUTO$b-1 = "2"\nnonsense\nPRAUTO$b-1$all$d = "many"\n',
    );
    const stopped = await site.pr(['import', file]);
    assert.deepEqual([stopped.status, stopped.stdout], [1, '']);
    assert.equal(
      stopped.stderr,
      `${file}, line 2: expected PRAUTO$version$pkgarch$checksum = "value"\n` +
        `${file}, line 3: not a line of a PR dump\n` +
        `${file}, line 4: value must be a non-negative integer or dotted integers of at most 9 digits each\n` +
        `ERROR: ${file} has 3 errors: nothing was imported; --keep-going imports the rest\n`,
    );
    assert.deepEqual(await site.pr(['test-package', 'b-1', 'all']), MISS);
    const rest = await site.pr(['import', '--keep-going', file]);
    assert.deepEqual([rest.status, rest.stdout], [1, 'Stored:        1\nAlready there: 0\nRefused:       3\n']);
    assert.match(rest.stderr, /line 4: value must be/);
    assert.equal(stdoutOf(await site.pr(['max-package-pr', 'b-1', 'all'])), '1\n');
  });
});

test('a read-only server stores nothing and says so', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const writable = await openSite([], folder);
  await writable.close();
  const site = await openSite(['--read-only'], folder);
  try {
    assert.equal(stdoutOf(await site.pr(['is-readonly'])), 'true\n');
    const file = site.file('rows.csv', 'version,pkgarch,checksum,value\nn-1,all,c,1\n');
    for (const args of [
      ['import-one', 'n-1', 'all', 'c', '1'],
      ['import', file],
    ]) {
      const { status, stderr } = await site.pr(args);
      assert.deepEqual([status, stderr], [1, 'ERROR: the server is read-only: nothing was stored\n']);
    }
  } finally {
    await site.close();
  }
});

test('bakeserv-prclient logs in where a listener asks for it, with a token of netrc too, and only when told to', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const users = `unix://${folder}/users`;
  const admin = ['--admin-user', 'admin', '--admin-password', 'secret', '--login-failure-delay', '0.001'];
  const site = await openSite(['--bind', `${users},pr-auth`, ...admin], folder);
  t.after(() => site.close());
  const get = (server: string, ...options: string[]) =>
    site.pr(['--server', server, ...options, 'get-pr', 'a-1-r0', 'core2', 'c0']);
  assert.equal(stdoutOf(await get(users, '--login', 'admin', '--password', 'secret')), '0\n');
  const failed = async (running: Promise<Outcome>) => {
    const { status, stderr } = await running;
    return [status, stderr];
  };
  const anonymous = 'ERROR: Anonymous user is not allowed to access permissions(s) @read, @report\n';
  assert.deepEqual(await failed(get(users)), [1, anonymous]);
  const wrong = get(users, '--login', 'admin', '--password', 'wrong');
  assert.deepEqual(await failed(wrong), [1, 'ERROR: Unable to authenticate as admin\n']);
  const [usage, why] = await failed(get(users, '--login', 'admin'));
  assert.equal(usage, 2);
  assert.match(String(why), /--login admin: name the token with --password, or in netrc under unix:/);
  fs.writeFileSync(path.join(folder, '.netrc'), `default login admin password secret\n`, { mode: 0o600 });
  assert.equal(stdoutOf(await get(users, '--login', 'admin')), '0\n');
  assert.deepEqual(await failed(get(users)), [1, anonymous]);
  assert.equal(stdoutOf(await get(site.tcp)), '0\n');
});
