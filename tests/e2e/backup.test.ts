import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { readDocument } from '../unit/docs-helpers.ts';
import {
  type Context,
  getPr,
  LAUNCHER,
  report,
  reportOf,
  runToEnd,
  type ServerProcess,
  serve,
  storedUnihash,
  temporaryFolder,
} from './helpers.ts';
import { openOther } from './sqlite.ts';

const HASH_DB = 'hashserv.db';
const PR_DB = 'prserv.db';
const FLAGS = ['--hashserv-db', HASH_DB, '--prserv-db', PR_DB];

interface Made {
  readonly services: readonly string[];
  readonly file: string;
  readonly removed: readonly string[];
}

/** Backs up both databases of the folder. */
async function backUp(folder: string, ...more: string[]): Promise<Made[]> {
  const { status, stdout, stderr } = await runToEnd(['backup', 'backups', ...FLAGS, '--json', ...more], folder);
  assert.deepEqual([status, stderr], [0, '']);
  return JSON.parse(stdout);
}

const restore = (folder: string, file: string, ...more: string[]) =>
  runToEnd(['restore', file, ...FLAGS, ...more], folder);

/** Runs a command as a shell at a terminal would, answering what it asks. */
async function answering(folder: string, args: readonly string[], answer: string) {
  const pretend = 'for (const stream of [process.stdin, process.stderr]) stream.isTTY = true;';
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, LAUNCHER, ...args],
    { cwd: folder },
  );
  child.stdin.end(answer);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status, stdout, stderr };
}

/** Writes to both services, one write after the other, until told to stop; how many were answered. */
async function writing(server: ServerProcess) {
  const [hashes, prs] = [await server.hash(), await server.pr()];
  let count = 0;
  let stopped = false;
  const done = (async () => {
    for (; !stopped; count++) {
      await report(hashes, `w${count}`);
      assert.equal(await getPr(prs, 'zlib-1-r0', `c${count}`), String(count));
    }
  })();
  return {
    count: () => count,
    async stop() {
      stopped = true;
      await done;
    },
  };
}

/** A folder with a PR database that has a backup, and two values more. */
async function behind(t: Context) {
  const folder = temporaryFolder(t);
  const server = await serve(t, { folder });
  const prs = await server.pr();
  await getPr(prs, 'a-1-r0', 'first');
  const [, backup] = await backUp(folder);
  await getPr(prs, 'a-1-r0', 'second');
  await getPr(prs, 'b-1-r0', 'first');
  await server.stop();
  return { folder, backup: backup!.file };
}

const valuesIn = async (t: Context, file: string) => {
  const database = await openOther(t, file);
  const rows = await database.all<{ version: string; value: string }>(
    'SELECT version, value FROM PRMAIN ORDER BY 1, 2',
  );
  await database.close();
  return rows.map(({ version, value }) => `${version} ${value}`);
};

describe('bakeserv backup, check and restore', { concurrency: true }, () => {
  test('a backup made under writes is whole, and after a restore the server has what was answered before it', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    await report(await server.hash(), 'before');
    const writer = await writing(server);
    while (writer.count() < 5) await report(await server.hash(), 'before');
    const before = writer.count();
    const [hashes, prs] = await backUp(folder);
    const after = writer.count();
    await writer.stop();
    await report(await server.hash(), 'later');
    assert.match(hashes!.file, /\/backups\/hashserv-\d{8}T\d{6}Z\.db$/);
    assert.match(prs!.file, /\/backups\/prserv-\d{8}T\d{6}Z\.sqlite3$/);
    assert.deepEqual([hashes!.services, prs!.services], [['hashserv'], ['prserv']]);
    const checked = await runToEnd(['check', hashes!.file, prs!.file, '--json'], folder);
    assert.equal(checked.status, 0, checked.stdout);

    const refused = await restore(folder, hashes!.file);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /^bakeserv: a server or another program has .*hashserv\.db: stop it first/);
    await report(await server.hash(), 'still served');
    await server.stop();

    for (const { file } of [hashes!, prs!]) assert.equal((await restore(folder, file, '--yes')).status, 0);
    const again = await serve(t, { folder });
    const client = await again.hash();
    for (const name of ['before', ...Array.from({ length: before }, (_, n) => `w${n}`)])
      assert.equal(await storedUnihash(client, name), reportOf(name).unihash);
    for (const name of ['later', 'still served', `w${after + 1}`])
      assert.equal(await storedUnihash(client, name), null);
    const next = Number(await getPr(await again.pr(), 'zlib-1-r0', 'a new one'));
    assert.ok(next >= before && next <= after + 1, `${next} after ${before} to ${after}`);
    // What was there is beside it, with what came later.
    const kept = fs.readdirSync(folder).find((name) => name.startsWith(`${HASH_DB}.before-restore-`))!;
    const database = await openOther(t, path.join(folder, kept));
    const { taskhash } = reportOf('still served');
    assert.equal((await database.all(`SELECT 1 FROM unihashes_v3 WHERE taskhash = '${taskhash}'`)).length, 1);
  });

  test('services that share a database have one backup, which only a shared database takes', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    const [hashes, prs] = await backUp(folder);
    fs.rmSync(path.join(folder, PR_DB));
    fs.symlinkSync(HASH_DB, path.join(folder, PR_DB));
    const server = await serve(t, { folder });
    await getPr(await server.pr(), 'a-1-r0', 'first');
    await server.stop();
    const { stdout } = await runToEnd(['backup', 'shared', ...FLAGS, '--json'], folder);
    const [made, ...others] = JSON.parse(stdout) as Made[];
    assert.deepEqual([made!.services, others], [['hashserv', 'prserv'], []]);
    for (const { file } of [hashes!, prs!]) {
      const less = await restore(folder, file, '--yes');
      assert.equal(less.status, 2);
      assert.match(less.stderr, /hashserv\.db also has .* data, which would go/);
    }
    const named = await runToEnd(['restore', prs!.file, '--prserv-db', PR_DB, '--yes'], folder);
    assert.match(named.stderr, /hashserv\.db also has hash equivalence data, which would go/);
    assert.deepEqual(
      [(await restore(folder, made!.file)).stderr, fs.readlinkSync(path.join(folder, PR_DB))],
      ['', HASH_DB],
    );
    fs.rmSync(path.join(folder, PR_DB));
    const apart = await restore(folder, made!.file);
    assert.equal(apart.status, 2);
    assert.match(apart.stderr, /the services have a database each/);
  });

  test('the newest backups of each database stay, and nothing else is removed', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    const backups = path.join(folder, 'backups');
    fs.mkdirSync(backups);
    const old = ['20250101', '20250102', '20250103'].map((day) => `hashserv-${day}T000000Z.db`);
    const others = ['prserv-20250101T000000Z.sqlite3', 'hashserv-20250101T000000Z.db.gz', 'notes'];
    for (const name of [...old, ...others]) fs.writeFileSync(path.join(backups, name), '');
    const [made] = await backUp(folder, '--keep', '2');
    assert.deepEqual(made!.removed.map((file) => path.basename(file)).sort(), old.slice(0, 2));
    const left = fs.readdirSync(backups);
    assert.deepEqual(
      left.filter((name) => old.includes(name) || others.includes(name)).sort(),
      [old[2]!, ...others].sort(),
    );
    assert.equal(left.length, 6, 'and the two new ones');
    // The clock was ahead when these were made: they are the newer ones, and the one just made stays all the same.
    const ahead = ['29990101', '29990102'].map((day) => `hashserv-${day}T000000Z.db`);
    for (const name of ahead) fs.writeFileSync(path.join(backups, name), '');
    const other = path.join(folder, 'other.db');
    fs.copyFileSync(path.join(folder, HASH_DB), other);
    fs.rmSync(made!.file);
    const { stdout } = await runToEnd(['backup', 'backups', '--hashserv-db', other, '--keep', '1', '--json'], folder);
    const [newest] = JSON.parse(stdout) as Made[];
    assert.deepEqual(
      fs
        .readdirSync(backups)
        .filter((name) => /^hashserv.*db$/.test(name))
        .sort(),
      [path.basename(newest!.file), ...ahead].sort(),
    );
  });

  test('a backup that fails says why, removes nothing, and makes the other one all the same', async (t) => {
    const folder = temporaryFolder(t);
    await (await serve(t, { folder })).stop();
    fs.mkdirSync(path.join(folder, 'b'));
    fs.writeFileSync(path.join(folder, 'b/prserv-20250101T000000Z.sqlite3'), '');
    fs.writeFileSync(path.join(folder, PR_DB), 'no database '.repeat(500));
    const { status, stdout, stderr } = await runToEnd(['backup', 'b', ...FLAGS, '--keep', '1'], folder);
    assert.equal(status, 3);
    assert.match(stderr, /^bakeserv: .*not a SQLite database, or is damaged: .*prserv\.db\n$/);
    assert.match(stdout, /^\S+\/hashserv-\S+\.db: \d+ bytes, of \S+hashserv\.db\n$/);
    assert.deepEqual(
      fs.readdirSync(path.join(folder, 'b')).map((name) => name.replace(/-2[0-9T]+Z\.db$/, '')),
      ['hashserv', 'prserv-20250101T000000Z.sqlite3'],
    );
    const missing = await runToEnd(['backup', 'b', '--prserv-db', 'none.db'], folder);
    assert.deepEqual([missing.status, missing.stderr], [1, `bakeserv: no database at ${folder}/none.db\n`]);
    const file = await runToEnd(['backup', HASH_DB, ...FLAGS], folder);
    assert.deepEqual([file.status, file.stdout], [1, '']);
    assert.match(file.stderr, /cannot make the folder .*hashserv\.db: file already exists/);
  });

  test('PR values given out since the backup are shown; without --yes or a yes nothing is changed', async (t) => {
    const { folder, backup } = await behind(t);
    const there = ['a-1-r0 0', 'a-1-r0 1', 'b-1-r0 0'];
    const script = await restore(folder, backup);
    assert.equal(script.status, 1);
    assert.match(
      script.stderr,
      /2 PR values of 2 packages were given out since .*: a-1-r0 core2-64, b-1-r0 core2-64\n/,
    );
    assert.match(script.stderr, /nothing was changed: say --yes/);
    for (const answer of ['n\n', '\n', '']) {
      const asked = await answering(folder, ['restore', backup, ...FLAGS], answer);
      assert.equal(asked.status, 1, asked.stderr);
      assert.match(asked.stderr, /Replace .*prserv\.db nevertheless\? \[y\/N\] /);
    }
    assert.deepEqual(await valuesIn(t, path.join(folder, PR_DB)), there);
    const { status, stdout } = await answering(folder, ['restore', backup, ...FLAGS, '--json'], 'y\n');
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).new_id, false);
    assert.deepEqual(await valuesIn(t, path.join(folder, PR_DB)), ['a-1-r0 0']);
    assert.deepEqual(await valuesIn(t, JSON.parse(stdout).kept), there);
  });

  test('a damaged database is replaced by its backup and kept; a damaged backup is refused', async (t) => {
    const { folder, backup } = await behind(t);
    const file = path.join(folder, PR_DB);
    fs.writeFileSync(file, 'no database '.repeat(500));
    const asked = await restore(folder, backup);
    assert.equal(asked.status, 1);
    assert.match(asked.stderr, /which PR values were given out since the backup is not known/);
    const { stdout } = await restore(folder, backup, '--yes', '--json', '--as-new');
    assert.equal(JSON.parse(stdout).new_id, true);
    assert.match(fs.readFileSync(JSON.parse(stdout).kept, 'utf8'), /^no database/);
    assert.deepEqual(await valuesIn(t, file), ['a-1-r0 0']);
    fs.truncateSync(backup, 5000);
    const refused = await restore(folder, backup, '--yes');
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /cannot be restored/);
    assert.deepEqual(await valuesIn(t, file), ['a-1-r0 0']);
  });

  test('check ends with 3 for a file with problems, with 1 for one that is not there, and looks at all', async (t) => {
    const { folder, backup } = await behind(t);
    fs.writeFileSync(path.join(folder, 'text'), 'no database '.repeat(500));
    const { status, stdout, stderr } = await runToEnd(['check', 'text', 'none', PR_DB, backup], folder);
    assert.equal(status, 3);
    assert.equal(stderr, 'bakeserv: no database at none\n');
    assert.match(
      stdout,
      /^text: has problems\n {2}problem: .*not a database\nprserv\.db: ok \(PR; rows: PRMAIN 3\)\n.*: ok/,
    );
    assert.equal((await runToEnd(['check', 'none', PR_DB], folder)).status, 1);
    // Looking leaves no log beside a database, which the next start would take for a crash.
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => /-(wal|shm)$/.test(name)),
      [],
    );
  });

  test('the commands of docs/operating.md do what it says', async (t) => {
    const folder = temporaryFolder(t);
    let server = await serve(t, { folder });
    await getPr(await server.pr(), 'a-1-r0', 'first');
    const sections = /^## Backup\n([\s\S]*?)^## Garbage/m.exec(readDocument('docs/operating.md'))![1]!;
    const lines = [...sections.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!);
    assert.equal(lines.length, 5);
    for (const line of lines) {
      if (line.startsWith('systemctl stop')) await server.stop();
      else if (line.startsWith('systemctl start')) server = await serve(t, { folder });
      else {
        const backups = path.join(folder, 'backups');
        const made = fs.existsSync(backups) ? fs.readdirSync(backups) : [];
        const words = line
          .replaceAll('/var/lib/bakeserv/prserv.sqlite3', PR_DB)
          .replaceAll('/var/lib/bakeserv', folder)
          .replaceAll('/var/backups/bakeserv', backups)
          .replace(/prserv-\d+T\d+Z\.sqlite3/, made.find((name) => name.startsWith('prserv-')) ?? '')
          .split(' ')
          .flatMap((word) => (word.endsWith('/*') ? made.map((name) => path.join(backups, name)) : [word]));
        assert.equal(words.shift(), 'bakeserv');
        const { status, stderr } = await runToEnd(words, folder);
        assert.deepEqual([status, stderr], [0, ''], line);
      }
    }
    assert.equal(await getPr(await server.pr(), 'a-1-r0', 'first'), '0');
    assert.equal(fs.readdirSync(folder).filter((name) => name.startsWith(`${PR_DB}.before-restore-`)).length, 1);
  });
});
