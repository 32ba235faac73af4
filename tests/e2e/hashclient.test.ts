import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { connectHashClient, type HashClient, parseAddress } from '../../lib/index.ts';
import { digits, type Outcome, openSite, type Site } from './client-helpers.ts';

/** What went well said nothing on stderr. */
function stdoutOf({ status, stdout, stderr }: Outcome): string {
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

describe('bakeserv-hashclient against a server', { concurrency: 2 }, () => {
  let site: Site;
  let server: HashClient;
  const report = (method: string, number: number, unihash = number) =>
    server.report({ method, taskhash: digits(number), outhash: digits(number + 1000), unihash: digits(unihash) });

  before(async () => {
    site = await openSite(['--admin-user', 'root', '--admin-password', 'secret']);
    server = await connectHashClient(parseAddress(site.address));
  });
  after(async () => {
    server.close();
    await site.close();
  });

  test('get shows a task as sorted JSON, and nothing on a miss', async () => {
    await server.report({
      method: 'get-m',
      taskhash: digits(1),
      outhash: digits(2),
      unihash: digits(3),
      PN: 'zlib-grün',
      task: 'do_package',
    });
    const text = stdoutOf(await site.hash(['get', 'get-m', digits(1)]));
    const { created, id } = JSON.parse(text);
    assert.equal(
      text,
      `{
    "PN": "zlib-gr\\u00fcn",
    "PR": null,
    "PV": null,
    "created": "${created}",
    "gc_mark": "",
    "id": ${id},
    "method": "get-m",
    "outhash": "${digits(2)}",
    "outhash_siginfo": null,
    "owner": null,
    "task": "do_package",
    "taskhash": "${digits(1)}",
    "unihash": "${digits(3)}"
}
`,
    );
    assert.equal(stdoutOf(await site.hash(['get', 'get-m', digits(9)])), '');
    assert.equal(stdoutOf(await site.hash(['get', 'get-m', digits(9), '--json'])), 'null\n');
  });

  test('get knows a task that only an equivalence was reported for', async () => {
    await server.reportEquivalent({ method: 'equiv-m', taskhash: digits(1), unihash: digits(2) });
    assert.equal(
      stdoutOf(await site.hash(['get', 'equiv-m', digits(1)])),
      `{\n    "method": "equiv-m",\n    "taskhash": "${digits(1)}",\n    "unihash": "${digits(2)}"\n}\n`,
    );
  });

  test('get-outhash shows the oldest report of an output, and nothing on a miss', async () => {
    await report('outhash-m', 5);
    const found = JSON.parse(stdoutOf(await site.hash(['get-outhash', 'outhash-m', digits(1005), digits(7)])));
    assert.equal(found.taskhash, digits(5));
    assert.equal(stdoutOf(await site.hash(['get-outhash', 'outhash-m', digits(1), digits(7)])), '');
  });

  test('unihash-exists says true or false, or by its status alone', async () => {
    await report('exists-m', 60, 61);
    assert.equal(stdoutOf(await site.hash(['unihash-exists', digits(61)])), 'true\n');
    assert.equal(stdoutOf(await site.hash(['unihash-exists', digits(62)])), 'false\n');
    assert.equal(stdoutOf(await site.hash(['unihash-exists', '--quiet', digits(61)])), '');
    assert.deepEqual(await site.hash(['unihash-exists', '-q', digits(62)]), {
      status: 1,
      signal: null,
      stdout: '',
      stderr: '',
    });
  });

  test('remove counts the rows it took, and with --dry-run those it would take', async () => {
    await report('remove-m', 1);
    await report('remove-m', 2);
    assert.equal(stdoutOf(await site.hash(['remove'])), 'No query specified\n');
    assert.equal(
      stdoutOf(await site.hash(['remove', '--dry-run', '-w', 'method', 'remove-m'])),
      'Would remove 4 row(s)\n  unihashes: 2\n  outhashes: 2\n',
    );
    assert.equal(
      stdoutOf(await site.hash(['remove', '-w', 'method', 'remove-m', '-w', 'taskhash', digits(1)])),
      'Removed 2 row(s)\n',
    );
    assert.equal(stdoutOf(await site.hash(['remove', '--where', 'method', 'remove-m', '--json'])), '{"count": 2}\n');
    assert.equal(stdoutOf(await site.hash(['remove', '-w', 'method', 'remove-m'])), 'Removed 0 row(s)\n');
  });

  test('remove with a column nobody has is refused with status 1', async () => {
    const refused = await site.hash(['remove', '-w', 'tashkhash', 'x']);
    assert.equal(refused.status, 1);
    assert.equal(refused.stdout, '');
    assert.match(refused.stderr, /^ERROR: where: unknown column "tashkhash"; the columns are method, /);
    const asJson = await site.hash(['--json', 'remove', '-w', 'tashkhash', 'x']);
    assert.match(JSON.parse(asJson.stderr).error, /unknown column/);
  });

  test('find tells what a hash or a recipe is, insights lookups what look-ups came to', async () => {
    const key = { method: 'find-m', outhash: digits(902), unihash: digits(903) };
    await server.report({ ...key, taskhash: digits(901), PN: 'find\u202eme', task: 'do_package', owner: 'anna' });
    await server.report({ ...key, taskhash: digits(904) });
    const line = (task: number, rest: string) =>
      new RegExp(`find-m ${digits(task)} ${digits(903)} ${digits(902)} ${rest}\n`);
    const found = stdoutOf(await site.hash(['find', digits(901)]));
    assert.match(found, /^It is: taskhash\n/);
    assert.match(found, line(901, 'find.me do_package reported 20\\S+ by anna'));
    assert.match(found, /Equivalent tasks:\n/);
    assert.match(found, line(904, 'reported 20\\S+'));
    const recipe = JSON.parse(stdoutOf(await site.hash(['find', 'find*', '--json'])));
    assert.deepEqual([recipe.is, recipe.rows.length, recipe.complete], [['recipe'], 1, true]);
    const none = await site.hash(['find', 'nobody']);
    assert.deepEqual([none.status, none.stdout, none.stderr], [1, '', 'nothing is known of that here\n']);
    await server.get('find-m', digits(901));
    const csv = stdoutOf(await site.hash(['insights', 'lookups', '--span', 'day', '--list', 'methods', '--csv']));
    assert.match(csv, /^method,hits,misses,upstream_hits\n(.*\n)*find-m,1,0,0\n/);
  });

  test('stats shows the figures, and --reset those before it', async () => {
    const figures = stdoutOf(await site.hash(['stats']));
    assert.match(
      figures,
      /^\{\n {4}"requests": \{\n {8}"average": [\d.e-]+,\n {8}"max_time": [\d.e-]+,\n {8}"num": \d+,\n {8}"stdev": [\d.e-]+,\n {8}"total_time": [\d.e-]+\n {4}\}\n\}\n$/,
    );
    const before = JSON.parse(stdoutOf(await site.hash(['stats', '--reset', '--json'])));
    assert.deepEqual(Object.keys(before.requests).sort(), ['average', 'max_time', 'num', 'stdev', 'total_time']);
  });

  test('get-db-query-columns lists the columns, sorted', async () => {
    assert.equal(
      stdoutOf(await site.hash(['get-db-query-columns'])),
      'PN\nPR\nPV\ngc_mark\nmethod\nouthash\nouthash_siginfo\nowner\ntask\ntaskhash\nunihash\n',
    );
  });

  test('ping shows each round trip and what they come to', async () => {
    const time = /\d+\.\d{3} ms/.source;
    const summary = ['Average:  ', 'Median:   ', 'Deviation:', 'Min:      ', 'Max:      '].map(
      (each) => `${each} ${time}\n`,
    );
    const text = stdoutOf(await site.hash(['ping', '-n', '3']));
    assert.match(text, new RegExp(`^(Ping time: ${time}\n){3}Pings:     3\n${summary.join('')}$`));
    assert.match(stdoutOf(await site.hash(['ping', '-qn2'])), new RegExp(`^Pings:     2\n${summary.join('')}$`));
  });

  test('stress finds the second time what it reported the first', async () => {
    const args = ['stress', '--clients', '2', '--requests', '5', '--taskhash-seed', 'a', '--outhash-seed', 'b'];
    const first = stdoutOf(await site.hash([...args, '--report']));
    assert.match(
      first,
      /^Clients: {13}2\nRequests per client: 5\nTotal requests: {6}10\nElapsed: {13}\d+\.\d{3} s\nRate: {16}\d+ requests\/s\nAverage: /,
    );
    const again = JSON.parse(stdoutOf(await site.hash([...args, '--json'])));
    assert.deepEqual([again.total, again.found, again.missed], [10, 10, 0]);
  });

  test('a refused call names the permission that is lacking', async () => {
    assert.deepEqual(await site.hash(['get-all-users']), {
      status: 1,
      signal: null,
      stdout: '',
      stderr: 'ERROR: Anonymous user is not allowed to access permissions(s) @user-admin\n',
    });
  });

  test('users are made, shown, changed and deleted', async () => {
    const root = ['-l', 'root', '-p', 'secret'];
    const made = stdoutOf(await site.hash([...root, 'new-user', '-u', 'alice', '@report', '@read']));
    assert.match(made, /^Username: {4}alice\nPermissions: @read @report\nToken: {7}[\w.]{64}\n$/);
    const token = /Token: {7}(.*)/.exec(made)![1]!;
    const alice = ['--login', 'alice', '--password', token];
    assert.equal(stdoutOf(await site.hash([...alice, 'get-user'])), 'Username:    alice\nPermissions: @read @report\n');
    assert.equal(
      stdoutOf(await site.hash([...root, 'set-user-perms', '--username', 'alice', '@read'])),
      'Username:    alice\nPermissions: @read\n',
    );
    assert.equal(
      stdoutOf(await site.hash([...root, 'get-all-users'])),
      'Username             | Permissions\n' +
        'alice                | @read\n' +
        'root                 | @all @db-admin @read @report @user-admin\n',
    );
    assert.equal(
      stdoutOf(await site.hash([...root, '--become', 'alice', 'get-user'])),
      'Username:    alice\nPermissions: @read\n',
    );
    assert.match(stdoutOf(await site.hash([...alice, 'refresh-token'])), /^Username: {4}alice\nToken: {7}[\w.]{64}\n$/);
    const old = await site.hash([...alice, 'get-user']);
    assert.deepEqual([old.status, old.stderr], [1, 'ERROR: Unable to authenticate as alice\n']);
    assert.equal(
      stdoutOf(await site.hash([...root, 'get-user', '-u', 'alice', '--json'])),
      '{"username": "alice", "permissions": ["@read"]}\n',
    );
    assert.equal(stdoutOf(await site.hash([...root, 'delete-user', '-u', 'alice'])), 'Username:    alice\n');
    assert.equal(stdoutOf(await site.hash([...root, 'get-user', '-u', 'alice'])), '');
  });

  test('a login is taken out of netrc under the whole address', async () => {
    const netrc = site.file('netrc', `machine ${site.address} login root password secret # admin\n`);
    fs.chmodSync(netrc, 0o600);
    const env = { NETRC: netrc };
    assert.match(stdoutOf(await site.hash(['get-user'], { env })), /^Username: {4}root\n/);
    assert.match(stdoutOf(await site.hash(['-l', 'root', 'get-user'], { env })), /^Username: {4}root\n/);
    assert.equal((await site.hash(['--no-netrc', 'get-user'], { env })).status, 1);
    const bad = await site.hash(['get-user'], { env: { NETRC: site.file('bad-netrc', 'machine x\nlogn root\n') } });
    assert.equal(bad.status, 1);
    assert.equal(
      bad.stderr,
      `ERROR: ${site.file('bad-netrc')}, line 2: expected login, account or password, not "logn"\n`,
    );
  });

  test('wrong usage is told with status 2', async () => {
    const wrong: [string[], RegExp][] = [
      [['frobnicate'], /unknown command "frobnicate"\n/],
      [['get', 'method'], /TASKHASH is missing/],
      [['get', 'a', 'b', 'c'], /unexpected argument "c"/],
      [['remove', '-w', 'method'], /-w needs KEY VALUE/],
      [['ping', '-n', 'many'], /-n must be a whole number, not "many"/],
      [['new-user', '@read'], /new-user: --username is missing/],
      [['get', '--colour', 'a', 'b'], /unknown option --colour/],
      [['--address', 'nonsense', 'ping'], /address "nonsense": not an address; expected unix:\/\/PATH, HOST:PORT/],
      [['--login', 'root', 'ping'], /--login root: name the token with --password, or in netrc under unix:/],
      [['--password', 'x', 'ping'], /--password is of no use without --login/],
      [[], /a command is missing/],
    ];
    for (const [args, message] of wrong) {
      const { status, stdout, stderr } = await site.hash(args);
      assert.equal(status, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, message);
    }
  });

  test('a server that is not there is told with what to do about it', async () => {
    const { status, stderr } = await site.hash(['--address', 'unix://./hashserve.sock', 'ping']);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      'ERROR: cannot connect to unix://./hashserve.sock: no such socket; ' +
        'start one with "bakeserv serve" or name it with --address\n',
    );
  });

  test('TCP is understood too, and options may stand after the command', async () => {
    assert.equal(stdoutOf(await site.hash(['unihash-exists', digits(99), '--address', site.tcp])), 'false\n');
  });

  test('every command has help with its options', async () => {
    const overview = stdoutOf(await site.hash(['--help']));
    const commands = [...overview.matchAll(/^ {2}([a-z][\w-]+) {2,}/gm)].map(([, name]) => name!);
    assert.ok(commands.length >= 25, overview);
    for (const command of commands) {
      assert.match(stdoutOf(await site.hash([command, '--help'])), new RegExp(`Usage: bakeserv-hashclient ${command}`));
    }
  });
});
