/** `npm run bench:growth`: the same rows on databases of several sizes, with memory, file size and start. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fullLoad } from './extras.ts';
import { createProgress, type Progress } from './progress.ts';
import { ROWS } from './rows.ts';
import { measure, runFolder, type Sample, type Setting } from './run.ts';
import { seededDatabase } from './seed.ts';
import { startEcho } from './servers.ts';
import { align, type Summary, summarize } from './table.ts';

const USAGE = `npm run bench:growth -- [options] [-- options of bakeserv serve]
  --hashes N,N,…    sizes, in rows of each table [10000,1000000,10000000]; the largest takes about 25 GB of disk
  --repeats N       how often each row is measured [1]
  --only TEXT       only rows whose name holds this; may be given several times
  --scale X         multiply every count of requests [1]
  --cache DIR       where seeded databases are kept, and copies made [.bench-cache]
  --json            one JSON object on stdout instead of the table
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hashes: { type: 'string', default: '10000,1000000,10000000' },
    repeats: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [''] },
    scale: { type: 'string', default: '1' },
    cache: { type: 'string', default: path.join(import.meta.dirname, '../.bench-cache') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** What was found at one size. */
interface Growth {
  readonly hashes: number;
  readonly fileMb: number;
  /** The first start, on a file that no server had open before, and the worst of all. */
  readonly firstStartMs: number;
  readonly worstStartMs: number;
  readonly fullLoadMb: number;
  readonly rows: readonly Summary[];
}

async function atSize(hashes: number, progress: Progress): Promise<Growth> {
  const seeded = await seededDatabase(values.cache, hashes, (done, total) =>
    progress.show(done, total, `seeding ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} rows`),
  );
  const folder = runFolder(values.cache);
  const setting: Setting = {
    folder,
    seeded,
    oneCopy: true,
    hashes,
    generator: null,
    scale: Number(values.scale),
    serve: positionals,
    profile: false,
  };
  try {
    return await measureSize(setting, progress);
  } finally {
    progress.clear();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function measureSize(setting: Setting, progress: Progress): Promise<Growth> {
  const { hashes, folder, seeded } = setting;
  const rows = ROWS.filter(({ name }) => values.only.some((text) => name.includes(text)));
  const repeats = Number(values.repeats);
  const samples: Sample[] = [];
  const echo = await startEcho(folder);
  try {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const row of rows) {
        progress.show(samples.length, rows.length * repeats + 1, `${hashes.toLocaleString('en-US')}: ${row.name}`);
        samples.push(await measure(row, echo, setting, samples.length));
      }
    }
  } finally {
    await echo.stop();
  }
  const [memory, start] = await fullLoad(setting);
  const starts = [...samples.map(({ startMs }) => startMs), start!.value];
  return {
    hashes,
    fileMb: fs.statSync(seeded).size / 1e6,
    firstStartMs: starts[0]!,
    worstStartMs: Math.max(...starts),
    fullLoadMb: memory!.value,
    rows: rows.map((row) =>
      summarize(
        row,
        samples.filter((sample) => sample.row === row),
      ),
    ),
  };
}

/** A line a row, a column a size: requests per second and their ratio to echo. */
function printGrowth(sizes: readonly Growth[]): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  const heading = ['work: rate (ratio to echo)', ...sizes.map(({ hashes }) => whole(hashes))];
  const rows = sizes[0]!.rows.map(({ name }, i) => [
    name,
    ...sizes.map(({ rows }) => `${whole(rows[i]!.rate)} (${rows[i]!.toEcho.toFixed(3)})`),
  ]);
  const line = (name: string, value: (size: Growth) => number) => [name, ...sizes.map((size) => whole(value(size)))];
  return align([
    heading,
    ...rows,
    line('file, MB', ({ fileMb }) => fileMb),
    line('resident memory under full load, MB', ({ fullLoadMb }) => fullLoadMb),
    line('first start to listening, ms', ({ firstStartMs }) => firstStartMs),
    line('worst start to listening, ms', ({ worstStartMs }) => worstStartMs),
  ]);
}

if (values.help) process.stdout.write(USAGE);
else {
  const progress = createProgress();
  const sizes: Growth[] = [];
  for (const size of values.hashes.split(',')) sizes.push(await atSize(Number(size), progress));
  process.stdout.write(values.json ? `${JSON.stringify({ sizes })}\n` : printGrowth(sizes));
}
