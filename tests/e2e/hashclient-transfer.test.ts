import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connectHashClient, type HashClient, parseAddress } from '../../lib/index.ts';
import { digits, openSite, type Site } from './client-helpers.ts';

const METHOD = 'transfer-method';
/** More than two pages of an export. */
const TASKS = 2300;

/** The lines of an export in an order of their own, without the places to go on from. */
function rowsOf(file: string): string[] {
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.stringify({ ...JSON.parse(line), next: undefined })).sort();
}

/** Lets so many bytes of answers through to its clients, then hangs up on all and listens no more. */
async function cuttingProxy(t: { after(fn: () => void): void }, to: string, bytes: number): Promise<string> {
  let left = bytes;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const inside = net.connect(Number(to.split(':')[1]), '127.0.0.1');
    for (const socket of [client, inside]) sockets.add(socket.on('error', () => {}));
    client.pipe(inside);
    inside.on('data', (chunk) => {
      left -= chunk.length;
      if (left > 0) return client.write(chunk);
      server.close();
      for (const socket of sockets) socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe('bakeserv-hashclient carries hash rows from server to server', () => {
  let source: Site;
  let target: Site;
  let server: HashClient;

  before(async () => {
    [source, target] = await Promise.all([openSite(), openSite()]);
    server = await connectHashClient(parseAddress(source.address));
    await Promise.all(
      Array.from({ length: TASKS }, (_, i) =>
        server.report({
          method: METHOD,
          taskhash: digits(i),
          outhash: digits(i),
          unihash: digits(i),
          PN: 'zlib',
          outhash_siginfo: `line one\nline "two" für ${i}`,
        }),
      ),
    );
  });
  after(async () => {
    server.close();
    await Promise.all([source.close(), target.close()]);
  });

  test('an export, an import elsewhere, and the same export again', async () => {
    const file = source.file('hashes.jsonl');
    const exported = await source.hash(['export', file]);
    assert.deepEqual([exported.status, exported.stderr], [0, `Exported ${2 * TASKS} rows\n`]);
    const imported = await target.hash(['import', file]);
    assert.deepEqual(
      [imported.status, imported.stdout, imported.stderr],
      [0, `Stored:        ${2 * TASKS}\nAlready there: 0\nRefused:       0\n`, ''],
    );
    const again = await target.hash(['import', '--json', '-'], { stdin: fs.readFileSync(file, 'utf8') });
    assert.equal(again.stdout, `{"stored": 0, "present": ${2 * TASKS}, "refused": 0}\n`);
    const back = target.file('back.jsonl');
    await target.hash(['export', back]);
    assert.deepEqual(rowsOf(back), rowsOf(file));
    assert.equal(new Set(rowsOf(back)).size, 2 * TASKS);
  });

  test('an export to standard output is the same', async () => {
    const { stdout } = await source.hash(['export']);
    assert.equal(stdout, fs.readFileSync(source.file('hashes.jsonl'), 'utf8'));
  });

  test('an interrupted export goes on where it stopped', async () => {
    const whole = fs.readFileSync(source.file('hashes.jsonl'), 'utf8');
    // Cut in the middle of a line, once in each table and once before the first page was whole.
    for (const share of [0.1, 0.4, 0.9]) {
      const part = source.file('part.jsonl', whole.slice(0, Math.floor(whole.length * share)));
      const resumed = await source.hash(['export', '--resume', part]);
      assert.equal(resumed.status, 0, resumed.stderr);
      assert.equal(fs.readFileSync(part, 'utf8'), whole);
    }
    const lines = Number(
      /Exported (\d+)/.exec((await source.hash(['export', '--resume', source.file('part.jsonl')])).stderr)![1],
    );
    assert.ok(lines < 2 * TASKS, `${lines} rows were written anew`);
  });

  test('an export that is cut off leaves the old file, and what it wrote for --resume', async (t) => {
    const folder = path.join(source.folder, 'cut');
    fs.mkdirSync(folder);
    const file = path.join(folder, 'hashes.jsonl');
    fs.writeFileSync(file, 'yesterday\n');
    const whole = fs.readFileSync(source.file('hashes.jsonl'), 'utf8');
    const cut = await cuttingProxy(t, source.tcp, whole.length / 3);
    const stopped = await source.hash(['--address', cut, '--timeout', '0.2', 'export', file]);
    assert.equal(stopped.status, 1);
    assert.match(
      stopped.stderr,
      new RegExp(`^what was exported is in ${file}.part: go on with "export --resume ${file}"\n`),
    );
    assert.equal(fs.readFileSync(file, 'utf8'), 'yesterday\n');
    assert.deepEqual(fs.readdirSync(folder).sort(), ['hashes.jsonl', 'hashes.jsonl.part']);
    const part = fs.readFileSync(`${file}.part`, 'utf8');
    assert.ok(part.length > 0 && part.length < whole.length);
    const resumed = await source.hash(['export', '--resume', file]);
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.ok(Number(/Exported (\d+) rows/.exec(resumed.stderr)![1]) < 2 * TASKS);
    assert.equal(fs.readFileSync(file, 'utf8'), whole);
    assert.deepEqual(fs.readdirSync(folder), ['hashes.jsonl']);
  });

  test('an export cut exactly before a newline is gone on with, without a hole', async () => {
    const whole = fs.readFileSync(source.file('hashes.jsonl'), 'utf8');
    const place = whole.indexOf('\n', whole.indexOf('"next": '));
    const part = source.file('newline.jsonl', whole.slice(0, place));
    const resumed = await source.hash(['export', '--resume', part]);
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.equal(fs.readFileSync(part, 'utf8'), whole);
  });

  test('an import does not change what a task has, and refuses rows that cannot be stored', async () => {
    const row = { table: 'unihashes', method: METHOD, taskhash: digits(1), unihash: digits(999) };
    const bad = { ...row, taskhash: digits(123456), unihash: 'no unihash' };
    const file = target.file('bad.jsonl', `${JSON.stringify(row)}\n${JSON.stringify(bad)}\n`);
    const { status, stdout, stderr } = await target.hash(['import', file]);
    assert.equal(status, 1);
    assert.equal(stdout, 'Stored:        0\nAlready there: 1\nRefused:       1\n');
    assert.equal(stderr, `${file}, line 2: refused: unihash is not 64 lower-case hex digits\n`);
    const { stdout: text } = await target.hash(['get', METHOD, digits(1)]);
    assert.equal(JSON.parse(text).unihash, digits(1));
  });

  test('an import that stops says how to go on', async () => {
    const file = target.file(
      'torn.jsonl',
      `${fs.readFileSync(source.file('hashes.jsonl'), 'utf8').split('\n')[0]}\n{"tab`,
    );
    const { status, stderr } = await target.hash(['import', file]);
    assert.equal(status, 1);
    assert.match(stderr, /torn\.jsonl: nothing was imported\nERROR: .*torn\.jsonl, line 2: not JSON/);
    assert.equal((await target.hash(['import', file, '--from-line', '3'])).status, 0);
  });

  test('diff shows the tasks of which two servers differ', async () => {
    await server.report({ method: 'd', taskhash: digits(1), outhash: digits(1), unihash: digits(10) });
    const other = await connectHashClient(parseAddress(target.address));
    await other.report({ method: 'd', taskhash: digits(1), outhash: digits(1), unihash: digits(11) });
    await other.report({ method: 'd', taskhash: digits(2), outhash: digits(2), unihash: digits(12) });
    other.close();
    const tasks = [1, 2, 3].map((number) => `d ${digits(number)}\n`).join('');
    const file = source.file('tasks', `${tasks}${METHOD} ${digits(5)}\n`);
    const args = ['diff', source.address, target.address, '--taskhashes', file];
    assert.deepEqual(await source.hash(args), {
      status: 1,
      signal: null,
      stdout: `d ${digits(1)} ${digits(10)} ${digits(11)}\nd ${digits(2)} - ${digits(12)}\n`,
      stderr: '4 compared: 1 same, 1 different, 0 only in the first, 1 only in the second, 1 in neither\n',
    });
    const same = await source.hash(['diff', source.address, source.tcp, '--taskhashes', file]);
    assert.deepEqual([same.status, same.stdout], [0, '']);
    const counts = { compared: 4, same: 2, different: 0, onlyFirst: 0, onlySecond: 0, neither: 2 };
    const asJson = await source.hash(['--json', 'diff', source.address, source.tcp, '--taskhashes', file]);
    assert.deepEqual([asJson.status, JSON.parse(asJson.stdout), asJson.stderr], [0, counts, '']);
    const differing = await source.hash(['--json', ...args]);
    const objects = differing.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(objects.at(-1), { compared: 4, same: 1, different: 1, onlyFirst: 0, onlySecond: 1, neither: 1 });
    assert.deepEqual(objects[0], { task: `d ${digits(1)}`, first: digits(10), second: digits(11) });
    assert.equal(differing.status, 1);
  });
});
