import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { runToEnd, serve, temporaryFolder } from './helpers.ts';

describe('the command line', { concurrency: true }, () => {
  test('each listener is said on stdout, with the real port where 0 was asked', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder, args: ['--bind', '127.0.0.1:0', '--bind', '[::1]:0'] });
    assert.equal(server.stdout[0], `listening unix://${folder}/s`);
    const ports = server.stdout
      .slice(1)
      .map((line) => Number(/^listening (?:127\.0\.0\.1|\[::1\]):(\d+)$/.exec(line)?.[1]));
    assert.equal(ports.length, 2);
    assert.ok(ports.every((port) => port > 0));
  });

  test('--self-check prints what every listener answers, for both services', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder, args: ['--bind', '127.0.0.1:0', '--self-check'] });
    await server.stop();
    const answers = server.stdout.filter((line) => line.startsWith('answered '));
    assert.equal(answers.length, 2);
    for (const line of answers) {
      assert.match(line, /OEHASHEQUIV 1\.1: \{"ping": \{\}\} -> \{"alive": true\}/);
      assert.match(line, /PRSERVICE 1\.0: \{"ping": \{\}\} -> \{"alive": true\}/);
    }
  });

  test('--version prints the version of package.json, also after a subcommand', async () => {
    const { version } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    for (const args of [['--version'], ['serve', '--version']]) {
      assert.deepEqual(await runToEnd(args), { status: 0, stdout: `${version}\n`, stderr: '' });
    }
  });

  test('--help lists the commands, serve --help its options; both end with 0', async () => {
    const overview = await runToEnd(['--help']);
    assert.equal(overview.status, 0);
    assert.match(overview.stdout, /^ {2}serve {2}/m);
    const options = await runToEnd(['serve', '--help']);
    assert.equal(options.status, 0);
    for (const option of ['--bind', '--hashserv-db', '--prserv-db', '--read-only', '--sync-mode', '--init'])
      assert.ok(options.stdout.includes(option), option);
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['sreve'], /unknown command "sreve"/],
    ['an unknown option', ['serve', '--bnid', ':0'], /bnid/],
    ['an argument that is no option', ['serve', 'now'], /unexpected argument "now"|Unknown .*now/],
    ['an option without its value', ['serve', '--bind'], /bind/],
    ['an address that is none', ['serve', '--bind', 'nonsense'], /nonsense/],
    ['an unknown durability mode', ['serve', '--sync-mode', 'sometimes'], /--sync-mode: "sometimes"/],
    ['a limit that is no number', ['serve', '--max-connections', 'many'], /--max-connections: "many"/],
    ['nothing to serve', ['serve', '--no-hashserv', '--no-prserv'], /nothing to serve/],
    ['a permission anonymous clients cannot have', ['serve', '--anon-perms', '@user-admin'], /@user-admin/],
  ];
  for (const [what, args, said] of WRONG) {
    test(`${what} is wrong usage: said on stderr with status 2, and nothing is created`, async (t) => {
      const folder = temporaryFolder(t);
      const run = await runToEnd(args, folder);
      assert.match(run.stderr, said);
      assert.equal(run.status, 2, run.stderr);
      assert.equal(run.stdout, '');
      assert.doesNotMatch(run.stderr, /\n\s+at /);
      assert.deepEqual(fs.readdirSync(folder), []);
    });
  }

  test('--json prints results as one object a line', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder, args: ['--json', '--self-check'] });
    await server.stop();
    const objects = server.stdout.map((line) => JSON.parse(line));
    assert.deepEqual(objects[0], { listening: `unix://${folder}/s` });
    assert.match(objects[1].answered, /alive/);
    assert.equal(objects.length, 2);
  });

  test('a port in use is one clear line and status 1', async (t) => {
    const folder = temporaryFolder(t);
    const first = await serve(t, { folder, args: ['--bind', '127.0.0.1:0'] });
    const address = first.stdout[1]!.slice('listening '.length);
    const second = temporaryFolder(t);
    const run = await runToEnd(['serve', '--bind', address, '--hashserv-db', path.join(second, 'h'), '--no-prserv']);
    assert.match(
      run.stderr,
      new RegExp(
        `cannot listen on ${address}: the port is in use; stop the other server \\("bakeserv status" .*another port \\(--bind\\)\n$`,
      ),
    );
    assert.equal(run.stderr.match(/^bakeserv: /gm)!.length, 1, run.stderr);
    assert.equal(run.status, 1);
  });

  test('an address that this machine does not have is named, with what to do', async (t) => {
    const file = path.join(temporaryFolder(t), 'h');
    const run = await runToEnd(['serve', '--bind', '192.0.2.1:0', '--hashserv-db', file, '--no-prserv']);
    assert.match(
      run.stderr,
      /cannot listen on 192\.0\.2\.1:0: this machine has no such address; .*\(--bind\), or :PORT/,
    );
    assert.equal(run.status, 1);
  });
});
