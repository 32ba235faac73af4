import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, describe, test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '../..');
const PROTOCOL = fs.readFileSync(path.join(ROOT, 'docs/protocol.md'), 'utf8');

/** `nc -N -U PATH` for machines without one: what comes in goes to the socket, then hangs up its side. */
const NETCAT = `#!${process.execPath}
const socket = require('node:net').connect(process.argv.at(-1));
process.stdin.pipe(socket);
socket.pipe(process.stdout);
`;

interface Example {
  readonly script: string;
  readonly expected: string;
}

/** Each `sh` block of the page with the `text` block that follows it. */
function examples(): Example[] {
  const blocks = [...PROTOCOL.matchAll(/^```sh\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm)];
  return blocks.map(([, script, expected]) => ({ script: script!, expected: expected! }));
}

describe('the first conversation of docs/protocol.md, with a server as README starts it', () => {
  let folder: string;
  let server: ChildProcess;
  let output: AsyncIterableIterator<string>;
  const nextLine = async () => (await output.next()).value as string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-readme-'));
    const program = path.join(ROOT, 'dist/bin/launch.cjs');
    // As npm start has it, but for the TCP port: another server may be on 8585 here.
    const binds = ['--bind', 'unix://./hashserve.sock', '--bind', '127.0.0.1:0'];
    server = spawn(process.execPath, [program, 'serve', '--self-check', ...binds], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    output = readline.createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
  });
  after(() => {
    server.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('the server listens, and prints the answer to a real request on each address', async () => {
    assert.equal(await nextLine(), 'listening unix://./hashserve.sock');
    const [, tcp] = /^listening (127\.0\.0\.1:\d+)$/.exec(await nextLine())!;
    const answers = 'OEHASHEQUIV 1.1: {"ping": {}} -> {"alive": true}; PRSERVICE 1.0: {"ping": {}} -> {"alive": true}';
    assert.equal(await nextLine(), `answered unix://./hashserve.sock ${answers}`);
    assert.equal(await nextLine(), `answered ${tcp} ${answers}`);
    for (const file of ['hashserv.db', 'prserv.sqlite3']) assert(fs.existsSync(path.join(folder, file)), file);
  });

  test('there are two: one for nc, one for Node', () => {
    assert.deepEqual(
      examples().map(({ script }) => script.split(' ')[0]),
      ['nc', 'node'],
    );
  });

  for (const { script, expected } of examples()) {
    test(script.split('\n')[0]!, async () => {
      const [, program] = /^```js\n([\s\S]*?)^```$/m.exec(PROTOCOL)!;
      fs.writeFileSync(path.join(folder, 'ask.mjs'), program!);
      const bin = path.join(folder, 'bin');
      fs.mkdirSync(bin, { recursive: true });
      if (spawnSync('sh', ['-c', 'nc -h 2>&1 | grep -q OpenBSD']).status !== 0) {
        fs.writeFileSync(path.join(bin, 'nc'), NETCAT, { mode: 0o755 });
      }
      const env = { PATH: `${bin}:${path.dirname(process.execPath)}:${process.env.PATH}` };
      const shell = spawn('sh', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
      const [answered, [status]] = await Promise.all([text(shell.stdout!), once(shell, 'close')]);
      assert.equal(answered, expected);
      assert.equal(status, 0);
    });
  }

  test('SIGTERM ends it with status 0; the socket and the write-ahead logs are gone', async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    const left = fs.readdirSync(folder).filter((file) => !['bin', 'ask.mjs'].includes(file));
    assert.deepEqual(left.sort(), ['bakeserv-figures', 'hashserv.db', 'prserv.sqlite3']);
  });
});

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}

test('the package’s start command is serve --self-check, with the addresses and files README names', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  assert.match(scripts.start, /build && node dist\/bin\/launch\.cjs serve --self-check$/);
  const help = spawnSync(process.execPath, [path.join(ROOT, 'dist/bin/launch.cjs'), 'serve', '--help'], {
    encoding: 'utf8',
  }).stdout.replaceAll(/\s+/g, ' ');
  for (const said of ['unix://./hashserve.sock and 127.0.0.1:8585', './hashserv.db', './prserv.sqlite3'])
    assert(help.includes(`[default: ${said}]`), said);
});
