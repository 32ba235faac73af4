/** Databases and shared state as two years of a farm leave them: what insights are measured on. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { SILENT } from '../lib/log.ts';
import { type Binding, openBinding } from '../lib/storage/sqlite/engine/binding.ts';
import { HASH_SCHEMA } from '../lib/storage/sqlite/hash/schema.ts';
import { PR_SCHEMA } from '../lib/storage/sqlite/pr/schema.ts';
import { hashOf, METHOD, OUTHASH, TASKHASH, UNIHASH } from './keys.ts';

const ROWS_A_STATEMENT = 10_000;
const FIRST_DAY = Date.UTC(2024, 10, 22);
const TWO_YEARS_MS = 730 * 86_400_000;
const RECIPES = 1500;
const STEPS = ['configure', 'compile', 'install', 'package', 'packagedata', 'package_write_rpm', 'populate_sysroot'];
const OTHER_STEPS = ['populate_lic', 'deploy', 'package_qa', 'rootfs', 'image'];
const TASKS = [...STEPS, ...OTHER_STEPS].map((step) => `do_${step}`);
const OWNERS = 20;
const SIGINFO = '-rw-r--r-- root root 12345 0123456789abcdef0123456789abcdef ./usr/lib/libz.so.1.3.1\n'.repeat(20);
/** Shares of reports: another output of a task, a task found equal to an earlier one, a lost unihash, a signature text. */
const SHARE = { unstable: 0.06, equal: 0.15, lost: 0.02, siginfo: 0.04 };
const VALUES_A_PACKAGE = 25;
const ARCHS = ['core2-64', 'qemux86_64', 'allarch', 'x86_64', 'cortexa72', 'raspberrypi4_64'];

type Row = readonly (string | null)[];
type Told = (done: number, total: number) => void;

interface Task {
  readonly key: number;
  readonly recipe: number;
  readonly step: number;
  readonly outhash: string;
  readonly unihash: string;
}

/** Numbers below 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const recipeName = (recipe: number) => `recipe-${String(recipe).padStart(4, '0')}${recipe % 5 === 0 ? '-native' : ''}`;

/** As many reports as unihashes: some tasks have several reports and some none, others have lost their unihash, and many share one. */
function* farmRows(rows: number): Generator<{ readonly report: Row; readonly unihashes: readonly Row[] }> {
  const random = randomNumbers(7);
  /** The last task of each recipe and step, which the next one may be found equal to. */
  const last = new Map<number, Task>();
  let stored = 0;
  let key = 0;
  for (let i = 0; i < rows; i++) {
    // Some recipes are built much more often than others.
    const recipe = Math.floor(RECIPES * random() ** 2);
    const step = Math.floor(TASKS.length * random());
    const before = last.get(recipe * TASKS.length + step);
    const kind = random();
    const isAgain = before !== undefined && kind < SHARE.unstable;
    const isEqual = before !== undefined && !isAgain && kind < SHARE.unstable + SHARE.equal;
    const number = key++;
    const outhash = isEqual ? before.outhash : hashOf(number, OUTHASH);
    const unihash = isEqual ? before.unihash : hashOf(number, UNIHASH);
    const task = isAgain ? before : { key: number, recipe, step, outhash, unihash };
    last.set(recipe * TASKS.length + step, task);
    const unihashes: Row[] = [];
    const taskhash = hashOf(task.key, TASKHASH);
    if (!isAgain && random() >= SHARE.lost) unihashes.push([METHOD, taskhash, task.unihash]);
    // What came from elsewhere has no report here.
    while (stored + unihashes.length < i + 1)
      unihashes.push([METHOD, hashOf(rows + key, TASKHASH), hashOf(rows + key++, UNIHASH)]);
    stored += unihashes.length;
    const created = new Date(FIRST_DAY + Math.floor((TWO_YEARS_MS * i) / rows)).toISOString().replace('Z', '000+00:00');
    const owner = `builder-${Math.floor(OWNERS * random())}`;
    const siginfo = random() < SHARE.siginfo ? `do_${task.step}\n${taskhash}\n${SIGINFO}` : null;
    const names = [recipeName(recipe), `1.${Math.floor(i / (rows / 8))}`, 'r0', TASKS[step]!];
    yield { report: [METHOD, taskhash, outhash, created, owner, ...names, siginfo], unihashes };
  }
}

const insert = (table: string, columns: readonly string[]) =>
  `INSERT OR IGNORE INTO ${table} (${columns.join()}) SELECT ${columns.map((_, i) => `value->>${i}`).join()} FROM json_each(?)`;
const REPORT_COLUMNS = [
  'method',
  'taskhash',
  'outhash',
  'created',
  'owner',
  'PN',
  'PV',
  'PR',
  'task',
  'outhash_siginfo',
];

/** The hash database with so many unihashes and reports. Made once, and kept in the folder. */
export function farmDatabase(folder: string, rows: number, told: Told): Promise<string> {
  return made(path.join(folder, `farm-${rows}.db`), async (connection) => {
    await HASH_SCHEMA.migrate(connection, SILENT);
    const reports: Row[] = [];
    const unihashes: Row[] = [];
    const store = async () => {
      const marked = unihashes.splice(0).map((row) => [...row, '']);
      await connection.run(insert('unihashes_v3', ['method', 'taskhash', 'unihash', 'gc_mark']), [
        JSON.stringify(marked),
      ]);
      await connection.run(insert('outhashes_v2', REPORT_COLUMNS), [JSON.stringify(reports.splice(0))]);
    };
    let done = 0;
    for (const each of farmRows(rows)) {
      reports.push(each.report);
      unihashes.push(...each.unihashes);
      if (++done % ROWS_A_STATEMENT > 0) continue;
      told(done, rows);
      await store();
    }
    await store();
  });
}

/** The PR database with so many values, of packages that are built in turn. */
export function farmPrDatabase(folder: string, rows: number): Promise<string> {
  return made(path.join(folder, `farm-pr-${rows}.db`), async (connection) => {
    await PR_SCHEMA.migrate(connection, SILENT);
    const packages = Math.max(1, Math.floor(rows / VALUES_A_PACKAGE));
    const sql = insert('PRMAIN', ['version', 'pkgarch', 'checksum', 'value']);
    for (let first = 0; first < rows; first += ROWS_A_STATEMENT) {
      const part = Array.from({ length: Math.min(ROWS_A_STATEMENT, rows - first) }, (_, i) => {
        const [number, value] = [(first + i) % packages, Math.floor((first + i) / packages)];
        const version = `${recipeName(number % RECIPES)}-1.${Math.floor(number / RECIPES)}-r0`;
        return [version, ARCHS[number % ARCHS.length]!, hashOf(first + i, OUTHASH), String(value)];
      });
      await connection.run(sql, [JSON.stringify(part)]);
    }
  });
}

/** A shared-state folder with so many objects: of nine in ten unihashes of the database one, and others that nobody names. */
export async function farmSharedState(folder: string, rows: number, told: Told): Promise<string> {
  const root = path.join(folder, `farm-sstate-${rows}`);
  if (fs.existsSync(root)) return root;
  const unfinished = `${root}.part`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  const folders = new Set<string>();
  let done = 0;
  const store = (unihash: string, name: string, step: string) => {
    const within = path.join(unfinished, unihash.slice(0, 2), unihash.slice(2, 4));
    if (!folders.has(within)) fs.mkdirSync(within, { recursive: true });
    folders.add(within);
    const file = `sstate:${name}:core2-64-poky-linux:1.0:r0:core2-64:12:${unihash}_${step}.tar.zst`;
    fs.closeSync(fs.openSync(path.join(within, file), 'w'));
    if (++done % ROWS_A_STATEMENT === 0) told(done, rows);
  };
  for (const { report, unihashes } of farmRows(rows))
    for (const [, , unihash] of unihashes)
      if (unihash!.charCodeAt(63) % 10 > 0 && done < rows) store(unihash!, report[5]!, report[8]!.slice('do_'.length));
  for (let key = 0; done < rows; key++) store(hashOf(3 * rows + key, UNIHASH), 'gone', 'package');
  fs.renameSync(unfinished, root);
  return root;
}

/** A database that is made when it is not there, without a journal: one that was interrupted is never used. */
async function made(file: string, fill: (connection: Binding) => Promise<void>): Promise<string> {
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const unfinished = `${file}.part`;
  fs.rmSync(unfinished, { force: true });
  const connection = await openBinding(unfinished, 'create');
  await connection.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1200000; BEGIN');
  await fill(connection);
  await connection.exec('COMMIT; PRAGMA journal_mode = WAL');
  await connection.close();
  fs.renameSync(unfinished, file);
  return file;
}
