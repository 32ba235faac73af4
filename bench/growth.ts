/** `npm run bench:growth`: the same rows on databases of several sizes, with memory, file size and start. See README.md here. */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { fullLoad } from './extras.ts';
import type { Progress } from './progress.ts';
import { ROWS } from './rows.ts';
import { measureRows, type Setting } from './run.ts';
import { SHARED_OPTIONS, SHARED_USAGE, withSetting } from './start.ts';
import { align, type Summary, summarizeRows } from './table.ts';

const USAGE = `npm run bench:growth -- [options] [-- options of bakeserv serve]
  --hashes N,N,…    sizes, in hashes [10000,1000000,10000000]; the largest takes about 12 GB of disk
  --repeats N       how often each row is measured [1]
${SHARED_USAGE}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SHARED_OPTIONS,
    hashes: { type: 'string', default: '10000,1000000,10000000' },
    repeats: { type: 'string', default: '1' },
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

async function measureSize(setting: Setting, progress: Progress): Promise<Growth> {
  const { hashes, seeded } = setting;
  const rows = ROWS.filter(({ name }) => values.only.some((text) => name.includes(text)));
  const repeats = Number(values.repeats);
  const samples = await measureRows(rows, repeats, setting, (done, row) =>
    progress.show(done, rows.length * repeats + 1, `${hashes.toLocaleString('en-US')}: ${row.name}`),
  );
  const [memory, start] = await fullLoad(setting);
  const starts = [...samples.map(({ startMs }) => startMs), start!.value];
  return {
    hashes,
    fileMb: fs.statSync(seeded).size / 1e6,
    firstStartMs: starts[0]!,
    worstStartMs: Math.max(...starts),
    fullLoadMb: memory!.value,
    rows: summarizeRows(samples),
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
  const start = {
    cache: values.cache,
    outhashes: values.outhashes,
    oneCopy: true,
    generator: null,
    scale: Number(values.scale),
    serve: positionals,
    profile: false,
  };
  const sizes: Growth[] = [];
  for (const size of values.hashes.split(',')) {
    sizes.push(await withSetting({ ...start, hashes: Number(size) }, measureSize));
  }
  process.stdout.write(
    values.json ? `${JSON.stringify({ outhashes: values.outhashes, sizes })}\n` : printGrowth(sizes),
  );
}
