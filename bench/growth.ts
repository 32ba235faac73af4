/** `npm run bench:growth`: the same rows on databases of several sizes, with memory, file size and start. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fullLoad } from './extras.ts';
import { type Growth, type GrowthRun, growthTable, writeGrowth } from './growth-page.ts';
import { describeMachine } from './machine.ts';
import type { Progress } from './progress.ts';
import { ROWS } from './rows.ts';
import { measureRows, type Setting, withServer } from './run.ts';
import { SHARED_OPTIONS, SHARED_USAGE, withSetting } from './start.ts';
import { summarizeRows } from './table.ts';

const DEFAULT_ROWS = ['get-stream 10x64', 'report 10x64'];
/** Above this many hashes the memory of the default options does not hold all. */
const FITTING = 1_000_000;
const DOCS = path.join(import.meta.dirname, '../docs');

const USAGE = `npm run bench:growth -- [options] [-- options of bakeserv serve]
  --hashes N,N,…    sizes, in hashes [10000,100000,1000000,10000000]; the largest takes about 10 GB of disk
  --repeats N       how often each row is measured [1]
  --large-cache N   sizes above a million are measured once more with this --cache-size; '' for not [1GiB]
  --docs DIR        where performance.md and performance.svg are written; '' for nowhere [docs]
${SHARED_USAGE}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SHARED_OPTIONS,
    only: { type: 'string', multiple: true, default: DEFAULT_ROWS },
    hashes: { type: 'string', default: '10000,100000,1000000,10000000' },
    repeats: { type: 'string', default: '1' },
    'large-cache': { type: 'string', default: '1GiB' },
    docs: { type: 'string', default: DOCS },
  },
});

async function measureSize(setting: Setting, cacheSize: string | null, progress: Progress): Promise<Growth> {
  const { hashes, seeded } = setting;
  const rows = ROWS.filter(({ name }) => values.only.some((text) => name.includes(text)));
  const repeats = Number(values.repeats);
  const label = `${hashes.toLocaleString('en-US')}${cacheSize ? ` in ${cacheSize}` : ''}`;
  const total = rows.length * repeats + 2;
  const samples = await measureRows(rows, repeats, setting, (done, row) =>
    progress.show(done, total, `${label}: ${row.name}`),
  );
  progress.show(total - 2, total, `${label}: reading it into memory`);
  const filled = await withServer(setting, async (server) => {
    const { rows, ms } = await server.filled();
    return { rows, ms, residentMb: server.residentBytes().now / 1e6 };
  });
  progress.show(total - 1, total, `${label}: full load`);
  const [memory, start] = await fullLoad(setting);
  const starts = [...samples.map(({ startMs }) => startMs), start!.value];
  return {
    hashes,
    cacheSize,
    fileMb: fs.statSync(seeded).size / 1e6,
    firstStartMs: starts[0]!,
    worstStartMs: Math.max(...starts),
    filledRows: filled.rows,
    filledMs: filled.ms,
    restMb: filled.residentMb,
    fullLoadMb: memory!.value,
    rows: summarizeRows(samples),
  };
}

async function measureAll(): Promise<GrowthRun> {
  const start = {
    cache: values.cache,
    outhashes: values.outhashes,
    oneCopy: true,
    generator: null,
    scale: Number(values.scale),
    profile: false,
  };
  const sizes: Growth[] = [];
  for (const hashes of values.hashes.split(',').map(Number)) {
    const caches = hashes > FITTING && values['large-cache'] !== '' ? [null, values['large-cache']] : [null];
    for (const cacheSize of caches) {
      const serve = cacheSize ? [...positionals, `--cache-size=${cacheSize}`] : positionals;
      const measured = { ...start, hashes, serve };
      sizes.push(await withSetting(measured, (setting, progress) => measureSize(setting, cacheSize, progress)));
    }
  }
  return { outhashes: values.outhashes, machine: describeMachine(values.cache), sizes };
}

if (values.help) process.stdout.write(USAGE);
else {
  const run = await measureAll();
  if (values.docs !== '') writeGrowth(values.docs, run);
  process.stdout.write(values.json ? `${JSON.stringify(run)}\n` : growthTable(run, 'text'));
}
