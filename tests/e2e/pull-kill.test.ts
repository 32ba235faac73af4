import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { askJobs } from '../../lib/cli/process/control-client.ts';
import { controlFolder, controlSocket } from '../../lib/cli/process/control-folder.ts';
import { METHOD, type ServerProcess, serve, temporaryFolder } from './helpers.ts';
import { openOther } from './sqlite.ts';

/** What comes to the source before each pull: more values than are stored by one statement. */
const VALUES = 1500;
const HASHES = 100;
/** Kills by how much has been read, and from the first write of the publication on. */
const BY_READING = 12;
const BY_LOG = 8;
const LOOKS = 100;
const MOST_LOOKS = 1_000_000;

const sha = (n: number) => n.toString(16).padStart(64, '0');

interface Job {
  readonly id: number;
  readonly state: string;
  readonly error: string | null;
  readonly progress: { readonly done: number };
}

const isUnderWay = ({ state }: Job) => state === 'waiting' || state === 'running';

describe('a server that is killed while it pulls', () => {
  /** For the end of the suite: `after` in `before` would be done at the end of that. */
  const cleanUps: (() => void | Promise<void>)[] = [];
  const suite = { after: (cleanUp: () => void | Promise<void>) => void cleanUps.unshift(cleanUp) };
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });
  const folder = temporaryFolder(suite);
  const [at, prDatabase] = [path.join(folder, 'target'), path.join(folder, 'target', 'prserv.db')];
  let source: ServerProcess;
  let target: ServerProcess;
  let proxy: ByteCounter;
  /** How often the source was filled, and what a pull then reads of it, about. */
  let filled = 0;
  let bytes = 0;

  before(async () => {
    for (const name of ['source', 'target']) fs.mkdirSync(path.join(folder, name));
    source = await serve(suite, { folder: path.join(folder, 'source') });
    proxy = await openCounter(path.join(folder, 'proxy'), path.join(folder, 'source', 's'));
    suite.after(() => proxy.close());
    target = await serve(suite, { folder: at });
    const prs = await target.pr();
    await prs.invoke('get-pr', { version: 'ours-1.0-r0', pkgarch: 'all', checksum: 'a' });
    await fill(source, filled++);
    await start();
    while (isUnderWay(await look()));
    assert.equal(await stored(), VALUES + 1);
    bytes = proxy.bytes;
  });

  for (let n = 1; n <= BY_READING; n++)
    test(`at about ${Math.round((100 * n) / (BY_READING + 1))} % of what it reads leaves all PR values or none, and goes on`, () =>
      round(() => proxy.bytes >= (bytes * (filled - 1) * n) / (BY_READING + 1)));

  for (let n = 0; n < BY_LOG; n++)
    test(`${n * LOOKS} looks after its first write to the log leaves all PR values or none, and goes on`, () =>
      round(({ progress }) => progress.done >= filled * VALUES && waitForWrite(`${prDatabase}-wal`, n * LOOKS)));

  /** Has the server pull what has come to the source, kills it at a moment, and has the next one go on. */
  async function round(isMoment: (job: Job) => boolean): Promise<void> {
    const before = filled * VALUES + 1;
    await fill(source, filled++);
    const id = await start();
    for (let job = await look(id); isUnderWay(job) && !isMoment(job); job = await look(id));
    target.child.kill('SIGKILL');
    await target.ended;
    const found = await stored();
    assert.ok(found === before || found === before + VALUES, `${found - before} of ${VALUES} new PR values`);
    target = await serve(suite, { folder: at });
    let job = await look(id);
    // What asks without a pause takes the processor from the job.
    for (; isUnderWay(job); job = await look(id)) await pause(5);
    assert.equal(job.state, 'done', job.error ?? '');
    assert.equal(await stored(), before + VALUES);
    const client = await target.hash();
    const { usage } = (await client.invoke('get-db-usage', {})) as { usage: { [table: string]: { rows: number } } };
    client.close();
    assert.deepEqual([usage.unihashes_v3!.rows, usage.outhashes_v2!.rows], [filled * HASHES, filled * HASHES]);
  }

  const ask = (command: string, args: { [name: string]: number | string | object }) =>
    askJobs(controlSocket(controlFolder(), target.child.pid!), command, args as never);
  async function start(): Promise<number> {
    proxy.bytes = 0;
    const parameters = { source: `unix://${proxy.path}`, packages: `time${filled - 1}-*` };
    return ((await ask('job-start', { kind: 'pull', parameters })) as { id: number }).id;
  }
  const look = async (id = 1) => (await ask('job-show', { id })) as unknown as Job;
  /** PR values in the file. */
  async function stored(): Promise<number> {
    const cleanUp: { after: typeof suite.after } = { after: () => {} };
    const other = await openOther(cleanUp, prDatabase);
    try {
      return (await other.all<{ n: number }>('SELECT count(*) AS n FROM PRMAIN'))[0]!.n;
    } finally {
      await other.close();
    }
  }
});

/** Without a turn for anything else: the write that is waited for may be followed by the next within a millisecond. */
function waitForWrite(file: string, more: number): true {
  const written = () => fs.statSync(file, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  const before = written();
  for (let looks = 0; looks < MOST_LOOKS && written() === before; looks++);
  for (let looks = 0; looks < more; looks++) written();
  return true;
}

/** Rows as builds would have left them, of packages and tasks that are not there yet. */
async function fill(server: ServerProcess, time: number): Promise<void> {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => time * count + n);
  const prs = await server.pr();
  const lines = numbers(VALUES).map((n) =>
    JSON.stringify([`time${time}-pkg${Math.floor(n / 5)}-1.0-r0`, 'core2-64', sha(n), String(n % 5)]),
  );
  await prs.invoke('import-rows', { rows: lines.join('\n') });
  prs.close();
  const hashes = await server.hash();
  const created = '2026-11-21T12:00:00.000000+00:00';
  const unihashes = numbers(HASHES).map((n) => [METHOD, sha(n), sha(n + 1_000_000)]);
  await hashes.invoke('import-rows', {
    table: 'unihashes',
    columns: ['method', 'taskhash', 'unihash'],
    rows: unihashes,
  });
  const columns = ['method', 'taskhash', 'outhash', 'created', 'owner', 'PN', 'PV', 'PR', 'task', 'outhash_siginfo'];
  const rows = numbers(HASHES).map((n) => [
    METHOD,
    sha(n),
    sha(n + 2_000_000),
    created,
    null,
    `time${time}-pkg`,
    null,
    null,
    null,
    null,
  ]);
  await hashes.invoke('import-rows', { table: 'outhashes', columns, rows });
  hashes.close();
}

/** Hands on to another socket, and counts what comes back. */
interface ByteCounter {
  readonly path: string;
  bytes: number;
  close(): void;
}

async function openCounter(at: string, to: string): Promise<ByteCounter> {
  const counter = { path: at, bytes: 0, close: () => void server.close() };
  const server = net.createServer((socket) => {
    const other = net.connect(to);
    for (const [from, into] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.on('error', () => into.destroy());
      from.on('close', () => into.destroy());
    }
    socket.pipe(other);
    other.on('data', (piece) => {
      counter.bytes += piece.length;
      socket.write(piece);
    });
  });
  await new Promise<void>((resolve) => server.listen(at, resolve));
  server.unref();
  return counter;
}
