/** `node --import tsx bench/churn.ts`: what insight-churn costs on many PR values. See README.md here. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { connectClient } from '../lib/asyncrpc/client/client.ts';
import { SILENT } from '../lib/log.ts';
import { openBinding } from '../lib/storage/sqlite/engine/binding.ts';
import { PR_SCHEMA } from '../lib/storage/sqlite/pr/schema.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
});
const REPEATS = 3;
const VALUES_A_PACKAGE = 100;
const ROWS_A_STATEMENT = 10_000;
/** The bar, for 1,000,000 rows. */
const BAR_SECONDS = 5;
const PROTOCOL = { protocol: 'PRSERVICE 1.0' };
const INSERT = `INSERT INTO PRMAIN (version, pkgarch, checksum, value)
  SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?)`;

const rows = Number(values.rows);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-churn-'));
const file = path.join(folder, 'prserv.db');
try {
  await seed();
  const socket = path.join(folder, 's');
  const options = ['--no-hashserv', `--prserv-db=${file}`, `--bind=unix://${socket}`, '--insight-cache=0'];
  const server = spawn(
    process.execPath,
    [path.join(import.meta.dirname, '../dist/bin/bakeserv.js'), 'serve', ...options],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    for await (const line of createInterface({ input: server.stdout })) if (line.startsWith('listening')) break;
    await report(socket);
  } finally {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

async function seed(): Promise<void> {
  const connection = await openBinding(file, 'create');
  await connection.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -262144');
  await PR_SCHEMA.migrate(connection, SILENT);
  await connection.exec('BEGIN');
  for (let first = 0; first < rows; first += ROWS_A_STATEMENT) {
    const part = Array.from({ length: Math.min(ROWS_A_STATEMENT, rows - first) }, (_, i) => rowOf(first + i));
    await connection.run(INSERT, [JSON.stringify(part)]);
  }
  await connection.exec('COMMIT; PRAGMA journal_mode = WAL');
  await connection.close();
}

function rowOf(number: number): readonly string[] {
  const name = Math.floor(number / VALUES_A_PACKAGE);
  const version = `recipe-${String(name >> 1).padStart(6, '0')}-1.${name & 1}-r0`;
  const checksum = createHash('sha256').update(String(number)).digest('hex');
  return [version, 'core2-64', checksum, String(number % VALUES_A_PACKAGE)];
}

/** The median time of the insight, and how long others wait at most meanwhile. */
async function report(socket: string): Promise<void> {
  const [asker, other] = await Promise.all([1, 2].map(() => connectClient(`unix://${socket}`, PROTOCOL)));
  const times: number[] = [];
  let longestPingMs = 0;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    let running = true;
    const from = performance.now();
    const asked = asker!.invoke('insight-churn', { limit: 1 + repeat }).finally(() => {
      running = false;
    });
    while (running) {
      const sent = performance.now();
      await other!.invoke('ping', {});
      longestPingMs = Math.max(longestPingMs, performance.now() - sent);
    }
    const { values: counted } = (await asked) as { values: number };
    if (counted !== rows) throw new Error(`${counted} values were counted of ${rows}`);
    times.push((performance.now() - from) / 1000);
  }
  for (const client of [asker, other]) client!.close();
  const seconds = times.sort((a, b) => a - b)[1]!;
  const met = seconds <= (BAR_SECONDS * rows) / 1_000_000;
  if (values.json) process.stdout.write(`${JSON.stringify({ rows, seconds, longestPingMs, met })}\n`);
  else
    process.stdout.write(
      `insight-churn of ${rows.toLocaleString('en-US')} values: ${seconds.toFixed(2)} s (bar ${BAR_SECONDS} s a million: ${met ? 'met' : 'not met'}), longest ping meanwhile ${longestPingMs.toFixed(0)} ms\n`,
    );
}
