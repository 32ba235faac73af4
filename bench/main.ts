/** `npm run bench`: every row of the performance table that needs no upstream. See README.md here. */
import { parseArgs } from 'node:util';
import { type DiskGauge, gaugeDisk } from './disk.ts';
import { EXTRAS, type Figure } from './extras.ts';
import { printSelfTimes } from './profile.ts';
import type { Progress } from './progress.ts';
import { ROWS } from './rows.ts';
import { measureRows, type Sample, type Setting } from './run.ts';
import { compareScraped, printChanges } from './scraped.ts';
import { SHARED_OPTIONS, SHARED_USAGE, withSetting } from './start.ts';
import { printTable, summarizeRows } from './table.ts';

const USAGE = `npm run bench -- [options] [-- options of bakeserv serve]
  --hashes N        hashes in the database [1000000]
  --repeats N       how often each row is measured, in turn with the others [3]
  --cpu-prof        run the server under --cpu-prof and print the 25 functions with the most self time of each row
  --scrape          every row with and without somebody who scrapes /metrics twice a second, and what that changes
  --generator FILE  the compiled C load generator instead of ours
${SHARED_USAGE}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SHARED_OPTIONS,
    hashes: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '3' },
    'cpu-prof': { type: 'boolean', default: false },
    scrape: { type: 'boolean', default: false },
    generator: { type: 'string' },
  },
});

async function measureScraped(setting: Setting, progress: Progress): Promise<void> {
  const rows = ROWS.filter(({ name }) => values.only.some((text) => name.includes(text)));
  const repeats = Number(values.repeats);
  const changes = await compareScraped(rows, repeats, setting, (done, total, name) => progress.show(done, total, name));
  progress.clear();
  process.stdout.write(values.json ? `${JSON.stringify(changes)}\n` : printChanges(changes));
}

async function measureAll(setting: Setting, progress: Progress): Promise<void> {
  const disk = gaugeDisk(setting.folder);
  const wanted = (name: string) => values.only.some((text) => name.includes(text));
  const rows = ROWS.filter(({ name }) => wanted(name));
  const extras = setting.profile ? [] : EXTRAS.filter(({ name }) => wanted(name));
  const repeats = setting.profile ? 1 : Number(values.repeats);
  const measurements = rows.length * repeats;
  const total = measurements + extras.length;
  const samples = await measureRows(rows, repeats, setting, (done, row, repeat) =>
    progress.show(done, total, `${row.name}, ${repeat} of ${repeats}`),
  );
  const figures: Figure[] = [];
  for (const [i, extra] of extras.entries()) {
    progress.show(measurements + i, total, extra.name);
    figures.push(...[await extra.measure(setting)].flat());
  }
  progress.clear();
  report(samples, figures, disk);
}

function report(samples: readonly Sample[], figures: readonly Figure[], disk: DiskGauge): void {
  const summaries = summarizeRows(samples);
  if (values.json) {
    const profiles = Object.fromEntries(samples.map(({ row, selfTimes }) => [row.name, selfTimes]));
    const found = { hashes: Number(values.hashes), outhashes: values.outhashes, disk, rows: summaries, figures };
    process.stdout.write(`${JSON.stringify(values['cpu-prof'] ? { ...found, profiles } : found)}\n`);
    return;
  }
  process.stdout.write(printTable(summaries, figures));
  const rows = values.outhashes ? 'hashes, each with an outhash row' : 'hashes, no outhash rows';
  process.stdout.write(`\ndatabase: ${Number(values.hashes).toLocaleString('en-US')} ${rows}`);
  process.stdout.write(`\ndisk: 28 KiB appended and synced in ${disk.p50Us} us (p50), ${disk.p99Us} us (p99)\n`);
  if (!values['cpu-prof']) return;
  for (const { row, selfTimes } of samples) process.stdout.write(printSelfTimes(row.name, selfTimes));
}

if (values.help) process.stdout.write(USAGE);
else {
  const start = {
    cache: values.cache,
    outhashes: values.outhashes,
    hashes: Number(values.hashes),
    oneCopy: false,
    generator: values.generator ?? null,
    scale: Number(values.scale),
    serve: positionals,
    profile: values['cpu-prof'],
  };
  await withSetting(start, values.scrape ? measureScraped : measureAll);
}
