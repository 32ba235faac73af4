import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type Context, serve, temporaryFolder } from '../e2e/helpers.ts';
import { openOther } from '../e2e/sqlite.ts';
import { type Answers, createWorker, noAnswers } from './load.ts';

export interface TortureOptions {
  /** A value of --sync-mode. */
  readonly syncMode: string;
  readonly kills: number;
  /** Told after each kill. */
  readonly onKill?: (kill: number, answered: number) => void;
}

const CLIENTS = 8;
/** A kill comes after a random number of answers, at most this. */
const MAX_ANSWERS = 300;

/**
 * Kills a server under mixed writes of eight clients, again and again, and compares the files with what clients were
 * told after every kill.
 * @returns the number of answers that were found again
 * @throws AssertionError when something answered is missing, a report is torn, a PR value was given twice, or the
 *   database is damaged
 */
export async function torture(t: Context, options: TortureOptions): Promise<number> {
  const { syncMode, kills } = options;
  const folder = temporaryFolder(t);
  const answers = noAnswers();
  const workers = Array.from({ length: CLIENTS }, (_, id) => createWorker(id, answers));
  for (let kill = 1; kill <= kills; kill++) {
    const server = await serve(t, { folder, args: ['--sync-mode', syncMode, '--log-level', 'error'] });
    const enough = countDown(1 + Math.floor(Math.random() * MAX_ANSWERS));
    // All are connected before the first writes: the kill may come at once, and meets answers, not connections.
    const connected = await Promise.all(workers.map(() => Promise.all([server.hash(), server.pr()])));
    const load = Promise.all(workers.map((worker, i) => worker.run(...connected[i]!, kill, enough.count)));
    // A worker ends early only by a failure, which must not wait for the kill.
    await Promise.race([enough.reached, load]);
    await server.stop('SIGKILL');
    await load;
    assert.equal(server.stderr(), '');
    await verifyCopy(t, folder, answers);
    options.onKill?.(kill, answers.unihashes.size + answers.values.size + answers.imported.size);
  }
  // The last word: the server itself, started once more and stopped cleanly, leaves whole files.
  const last = await serve(t, { folder, args: ['--sync-mode', syncMode] });
  assert.deepEqual(await last.stop(), { status: 0, signal: null });
  await verifyCopy(t, folder, answers);
  return answers.unihashes.size + answers.values.size + answers.imported.size;
}

function countDown(from: number): { count: () => void; reached: Promise<void> } {
  let left = from;
  let reach: () => void;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const count = () => {
    if (--left === 0) reach();
  };
  return { count, reached };
}

/** Checks copies, so that the next server has to recover the files by itself. No server runs meanwhile. */
async function verifyCopy(t: Context, folder: string, answers: Answers): Promise<void> {
  const copy = path.join(folder, 'copy');
  fs.mkdirSync(copy);
  for (const name of ['hashserv.db', 'hashserv.db-wal', 'prserv.db', 'prserv.db-wal']) {
    const file = path.join(folder, name);
    if (fs.existsSync(file)) fs.copyFileSync(file, path.join(copy, name));
  }
  await verifyHashes(t, path.join(copy, 'hashserv.db'), answers);
  await verifyValues(t, path.join(copy, 'prserv.db'), answers);
  fs.rmSync(copy, { recursive: true });
}

export async function assertWhole(t: Context, file: string) {
  const database = await openOther(t, file);
  assert.deepEqual(await database.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
  return database;
}

/** Rows of a report without the other half of it. */
export const TORN = `SELECT o.taskhash FROM outhashes_v2 o WHERE NOT EXISTS (
  SELECT 1 FROM unihashes_v3 u WHERE u.method = o.method AND u.taskhash = o.taskhash)`;

async function verifyHashes(t: Context, file: string, answers: Answers): Promise<void> {
  const database = await assertWhole(t, file);
  assert.deepEqual(await database.all(TORN), [], 'a report is torn');
  const rows = await database.all<{ taskhash: string; unihash: string; gc_mark: string }>(
    'SELECT taskhash, unihash, gc_mark FROM unihashes_v3',
  );
  const stored = new Map(rows.map((row) => [row.taskhash, row.unihash]));
  for (const [taskhash, unihash] of answers.unihashes)
    assert.equal(stored.get(taskhash), unihash, `the answer for taskhash ${taskhash} is lost`);
  for (const { unihash, gc_mark } of rows) {
    const told = answers.marks.get(unihash) ?? 0;
    assert.ok(Number(gc_mark) >= told, `unihash ${unihash} was answered as marked ${told}, and is marked ${gc_mark}`);
  }
  await database.close();
}

async function verifyValues(t: Context, file: string, answers: Answers): Promise<void> {
  const database = await assertWhole(t, file);
  const rows = await database.all<{ version: string; checksum: string; value: string }>('SELECT * FROM PRMAIN');
  const stored = new Map(rows.map((row) => [`${row.version} ${row.checksum}`, row.value]));
  for (const [key, value] of [...answers.values, ...answers.imported])
    assert.equal(stored.get(key), value, `the answer for ${key} is lost`);
  const given = rows.filter(({ version }) => version.startsWith('pkg-'));
  const distinct = new Set(given.map(({ version, value }) => `${version} ${value}`));
  assert.equal(distinct.size, given.length, 'a PR value was given twice');
  await database.close();
}
