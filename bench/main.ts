/** `npm run bench`: every row of the performance table that needs no upstream. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type DiskGauge, gaugeDisk } from './disk.ts';
import { EXTRAS, type Figure } from './extras.ts';
import { printSelfTimes } from './profile.ts';
import { createProgress } from './progress.ts';
import { ROWS } from './rows.ts';
import { measure, runFolder, type Sample, type Setting } from './run.ts';
import { seededDatabase } from './seed.ts';
import { startEcho } from './servers.ts';
import { printTable, summarize } from './table.ts';

const USAGE = `npm run bench -- [options] [-- options of bakeserv serve]
  --hashes N        rows of each table in the database [1000000]
  --repeats N       how often each row is measured, in turn with the others [3]
  --only TEXT       only rows whose name holds this; may be given several times
  --scale X         multiply every count of requests, 0.1 for a quick look [1]
  --cpu-prof        run the server under --cpu-prof and print the 25 functions with the most self time of each row
  --generator FILE  the compiled C load generator instead of ours
  --cache DIR       where seeded databases are kept, and copies made [.bench-cache]
  --json            one JSON object on stdout instead of the table
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hashes: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: [''] },
    scale: { type: 'string', default: '1' },
    'cpu-prof': { type: 'boolean', default: false },
    generator: { type: 'string' },
    cache: { type: 'string', default: path.join(import.meta.dirname, '../.bench-cache') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const progress = createProgress();
  const hashes = Number(values.hashes);
  const seeded = await seededDatabase(values.cache, hashes, (done, total) =>
    progress.show(done, total, `seeding ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} rows`),
  );
  const folder = runFolder(values.cache);
  const setting: Setting = {
    folder,
    seeded,
    oneCopy: false,
    hashes,
    generator: values.generator ?? null,
    scale: Number(values.scale),
    serve: positionals,
    profile: values['cpu-prof'],
  };
  try {
    const disk = gaugeDisk(folder);
    const { samples, figures } = await measureAll(setting, progress);
    report(samples, figures, disk);
  } finally {
    progress.clear();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The repeats are the outer loop: a machine that is slower for a minute is slower for every row. */
async function measureAll(setting: Setting, progress: ReturnType<typeof createProgress>) {
  const wanted = (name: string) => values.only.some((text) => name.includes(text));
  const rows = ROWS.filter(({ name }) => wanted(name));
  const extras = EXTRAS.filter(({ name }) => wanted(name));
  const repeats = setting.profile ? 1 : Number(values.repeats);
  const total = rows.length * repeats + (setting.profile ? 0 : extras.length);
  const samples: Sample[] = [];
  const figures: Figure[] = [];
  const echo = await startEcho(setting.folder);
  try {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const row of rows) {
        progress.show(samples.length, total, `${row.name}, ${repeat} of ${repeats}`);
        samples.push(await measure(row, echo, setting, samples.length));
      }
    }
    for (const [i, extra] of (setting.profile ? [] : extras).entries()) {
      progress.show(samples.length + i, total, extra.name);
      figures.push(...[await extra.measure(setting)].flat());
    }
  } finally {
    await echo.stop();
  }
  progress.clear();
  return { samples, figures };
}

function report(samples: readonly Sample[], figures: readonly Figure[], disk: DiskGauge): void {
  const rows = [...new Set(samples.map(({ row }) => row))];
  const summaries = rows.map((row) =>
    summarize(
      row,
      samples.filter((sample) => sample.row === row),
    ),
  );
  if (values.json) {
    const profiles = Object.fromEntries(samples.map(({ row, selfTimes }) => [row.name, selfTimes]));
    const found = { hashes: Number(values.hashes), disk, rows: summaries, figures };
    process.stdout.write(`${JSON.stringify(values['cpu-prof'] ? { ...found, profiles } : found)}\n`);
    return;
  }
  process.stdout.write(printTable(summaries, figures));
  process.stdout.write(`\ndisk: 28 KiB appended and synced in ${disk.p50Us} us (p50), ${disk.p99Us} us (p99)\n`);
  if (!values['cpu-prof']) return;
  for (const { row, selfTimes } of samples) process.stdout.write(printSelfTimes(row.name, selfTimes));
}

if (values.help) process.stdout.write(USAGE);
else await main();
