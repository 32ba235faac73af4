import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../helpers.ts';
import { outcome } from './client-helpers.ts';

const BIN = path.join(import.meta.dirname, '../../dist/bin');
const FILES: Record<string, string> = {
  bakeserv: 'launch.cjs',
  'bakeserv-hashclient': 'bakeserv-hashclient.js',
  'bakeserv-prclient': 'bakeserv-prclient.js',
};

/** Runs a command line in an empty folder; `output` takes the place of stdout. */
async function run(t: { after(fn: () => void): void }, line: string, output?: number) {
  const [program, ...args] = line.split(' ');
  const stdio = ['ignore', output ?? 'pipe', 'pipe'] as const;
  const folder = temporaryFolder(t);
  const env = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder };
  const child = spawn(process.execPath, [path.join(BIN, FILES[program!]!), ...args], {
    cwd: folder,
    env,
    stdio: [...stdio],
  });
  if (output === undefined) return outcome(child);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  return { status: status as number, stderr, stdout: '' };
}

/** Listens and does with each client what is asked; counts them. */
async function listener(t: { after(fn: () => void): void }, take: (socket: net.Socket) => void) {
  let clients = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    clients++;
    sockets.add(socket.on('error', () => {}));
    take(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, clients: () => clients };
}

describe('a word that was mistyped is told with the one that was probably meant', { concurrency: 2 }, () => {
  const TYPED: readonly (readonly [line: string, said: string, help: string])[] = [
    ['bakeserv sreve', 'unknown command "sreve"; did you mean serve?', 'bakeserv'],
    ['bakeserv frobnicate', 'unknown command "frobnicate"', 'bakeserv'],
    ['bakeserv serve --bnid :0', 'unknown option --bnid; did you mean --bind?', 'bakeserv serve'],
    ['bakeserv serve -bind :0', 'unknown option -bind; did you mean --bind?', 'bakeserv serve'],
    ['bakeserv serve --no-hashsrev', 'unknown option --no-hashsrev; did you mean --no-hashserv?', 'bakeserv serve'],
    ['bakeserv serve --bind', '--bind needs a value', 'bakeserv serve'],
    ['bakeserv serve --log-level inof', '--log-level must be error, warn, info, debug, not "inof"', 'bakeserv serve'],
    ['bakeserv config chekc', 'unknown command "chekc"; did you mean check?', 'bakeserv config'],
    ['bakeserv status --chekc', 'unknown option --chekc; did you mean --check?', 'bakeserv status'],
    ['bakeserv warm --adress x', 'unknown option --adress; did you mean --address?', 'bakeserv warm'],
    ['bakeserv-hashclient gc-statsu', 'unknown command "gc-statsu"; did you mean gc-status?', 'bakeserv-hashclient'],
    ['bakeserv-hashclient ping --coutn 3', 'unknown option --coutn; did you mean --count?', 'bakeserv-hashclient ping'],
    ['bakeserv-hashclient get x', 'TASKHASH is missing', 'bakeserv-hashclient get'],
    ['bakeserv-prclient --sevrer x list', 'unknown option --sevrer; did you mean --server?', 'bakeserv-prclient'],
    ['bakeserv-prclient', 'a command is missing', 'bakeserv-prclient'],
  ];
  for (const [line, said, help] of TYPED) {
    test(line, async (t) => {
      const program = line.split(' ')[0];
      const { status, stdout, stderr } = await run(t, line);
      assert.deepEqual([status, stdout, stderr], [2, '', `${program}: ${said}\nTry '${help} --help'.\n`]);
    });
  }
});

describe('what the system refuses is said in words', { concurrency: 2 }, () => {
  const REFUSED: readonly (readonly [line: string, said: RegExp])[] = [
    ['bakeserv warm nowhere.txt', /^bakeserv: cannot read nowhere\.txt: no such file or directory\n$/],
    [
      'bakeserv serve --config nowhere.yaml',
      /cannot read the configuration file .*nowhere\.yaml: no such file or directory\n/,
    ],
    ['bakeserv run -- nowhere', /cannot run nowhere: no such file or directory/],
    ['bakeserv-hashclient gc --sstate-dir nowhere', /cannot connect to unix:.*: no such socket/],
    [
      'bakeserv-prclient --server nosuchhost.invalid:1 list',
      /cannot connect to nosuchhost\.invalid:1: (no such host|temporary failure)/,
    ],
    [
      'bakeserv-hashclient --address wss://127.0.0.1:1 --ca nowhere ping',
      /cannot read certificates from nowhere: no such file or directory/,
    ],
  ];
  for (const [line, said] of REFUSED) {
    test(line, async (t) => {
      const { status, stderr } = await run(t, line);
      assert.notEqual(status, 0);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /\bE(?!RROR\b)[A-Z]{4,}\b|^ +at /m);
    });
  }

  test('a log of a private server that cannot be opened, said once', async (t) => {
    const folder = temporaryFolder(t);
    const log = path.join(fs.realpathSync(folder), '.bakeserv/log');
    fs.mkdirSync(log, { recursive: true });
    const { status, stderr } = await run(t, `bakeserv auto --dir ${folder}`);
    assert.deepEqual(
      [status, stderr],
      [2, `bakeserv: cannot write the log ${log}: illegal operation on a directory\n`],
    );
  });

  test('a wss:// address where nobody speaks TLS', async (t) => {
    const { port } = await listener(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { status, stderr } = await run(t, `bakeserv-hashclient --address wss://127.0.0.1:${port} ping`);
    assert.equal(status, 1);
    assert.match(stderr, /cannot connect to wss:.*: it does not speak TLS; is it ws:\/\/ instead of wss:\/\/\?\n$/);
  });

  test('a ws:// address where something else is spoken', async (t) => {
    const { port } = await listener(t, (socket) => socket.end('220 mail\r\n'));
    const { stderr } = await run(t, `bakeserv-hashclient --address ws://127.0.0.1:${port} ping`);
    assert.match(stderr, /cannot connect to ws:.*: it does not speak WebSocket/);
  });

  for (const line of [
    'bakeserv --help',
    'bakeserv serve --help',
    'bakeserv config print',
    'bakeserv-hashclient --help',
  ]) {
    test(`output that does not fit: ${line} > /dev/full`, async (t) => {
      const full = fs.openSync('/dev/full', 'w');
      t.after(() => fs.closeSync(full));
      const program = line.split(' ')[0];
      assert.deepEqual(await run(t, line, full), {
        status: 1,
        stderr: `${program}: cannot write the output: no space left on device\n`,
        stdout: '',
      });
    });
  }

  test('nothing to say is no failure to say it', async (t) => {
    const full = fs.openSync('/dev/full', 'w');
    t.after(() => fs.closeSync(full));
    const { status, stderr } = await run(t, 'bakeserv-prclient', full);
    assert.deepEqual(
      [status, stderr],
      [2, "bakeserv-prclient: a command is missing\nTry 'bakeserv-prclient --help'.\n"],
    );
  });
});

describe('--timeout gives up once', { concurrency: 2 }, () => {
  test('a server that takes the connection and says nothing', async (t) => {
    const { port, clients } = await listener(t, () => {});
    const { status, stderr } = await run(t, `bakeserv-hashclient --address 127.0.0.1:${port} --timeout 0.1 ping`);
    assert.deepEqual([status, stderr], [1, `ERROR: 127.0.0.1:${port} has not answered for 0.1 s\n`]);
    assert.equal(clients(), 1);
  });

  test('a stream that is not answered', async (t) => {
    const { port, clients } = await listener(t, () => {});
    const line = `bakeserv-hashclient --address 127.0.0.1:${port} --timeout 0.1 unihash-exists ${'0'.repeat(64)}`;
    assert.match((await run(t, line)).stderr, /has not answered for 0\.1 s/);
    assert.equal(clients(), 1);
  });

  test('a server that does not take the WebSocket', async (t) => {
    const { port, clients } = await listener(t, () => {});
    const { stderr } = await run(t, `bakeserv-prclient --server ws://127.0.0.1:${port} --timeout 0.1 list`);
    assert.match(stderr, /cannot connect to ws:.*: no answer within 0\.1 s/);
    assert.equal(clients(), 1);
  });
});
