/** `npm run bench:scaling`: rows on PostgreSQL beside SQLite in one run, and two servers on one database. See README.md here. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../tests/postgres/server.ts';
import { describeMachine, tellMachine } from './machine.ts';
import { seedPostgres } from './postgres.ts';
import { load } from './processes.ts';
import type { Progress } from './progress.ts';
import { planKeys, ROWS, type Row } from './rows.ts';
import { requestOf, type Setting, withServer } from './run.ts';
import { type Server, startBakeserv } from './servers.ts';
import { simulate } from './simulation.ts';
import { SHARED_OPTIONS, SHARED_USAGE, withSetting } from './start.ts';
import { median } from './statistics.ts';

const DEFAULT_ROWS = ['report 10x1', 'report 10x64', 'get-stream 10x64', 'get-pr 10x1'];

/** What the issue that brought PostgreSQL asks for: a rate, and a share of SQLite's in the same run. */
const BARS: Readonly<Record<string, { readonly rate: number; readonly share: number }>> = {
  'report 10x64': { rate: 6000, share: 0.7 },
  'get-stream 10x64 cold': { rate: 60_000, share: 0 },
};

const USAGE = `npm run bench:scaling -- [options] [-- options of bakeserv serve]
  --hashes N        hashes in each database [300000]
  --repeats N       how often each row is measured on each engine, in turn [3]
  --set NAME=VALUE  a setting of PostgreSQL; may be given several times
  --simulation-only only two servers on one database, with a hundredth of what docs/scaling.md reckons with
${SHARED_USAGE}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SHARED_OPTIONS,
    only: { type: 'string', multiple: true, default: DEFAULT_ROWS },
    hashes: { type: 'string', default: '300000' },
    repeats: { type: 'string', default: '3' },
    set: { type: 'string', multiple: true, default: [] },
    'simulation-only': { type: 'boolean', default: false },
  },
});

interface Compared {
  readonly row: Row;
  readonly sqlite: number[];
  readonly postgres: number[];
}

/** The rate of a row on a server that has just started. @throws Error when an answer is wrong */
async function rateOf(row: Row, server: Server, setting: Setting, turn: number): Promise<number> {
  const plan = planKeys(row, setting.hashes, turn, setting.scale);
  await load(server.address, null, { ...requestOf(row, plan.warm), mode: row.warmMode ?? row.mode });
  const { rate, hits, misses } = await load(server.address, null, requestOf(row, plan.measured));
  const [bad, what] = row.temperature === 'missing' ? [hits, 'are of nothing'] : [misses, 'are misses or errors'];
  if (bad > 0) throw new Error(`${row.name}: ${bad} answers ${what}`);
  return rate;
}

async function compare(setting: Setting, address: string, progress: Progress): Promise<Compared[]> {
  const rows = ROWS.filter(({ name }) => values.only.some((text) => name.includes(text)));
  const compared = rows.map((row): Compared => ({ row, sqlite: [], postgres: [] }));
  let turn = 0;
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const { row, sqlite, postgres } of compared) {
      progress.show(turn, rows.length * Number(values.repeats), row.name);
      sqlite.push(
        await withServer(setting, async (server) => {
          await server.filled();
          return rateOf(row, server, setting, turn);
        }),
      );
      const folder = fs.mkdtempSync(path.join(setting.folder, 'postgres-'));
      const server = await startBakeserv({ folder, database: address, prDatabase: address, extra: setting.serve });
      try {
        postgres.push(await rateOf(row, server, setting, turn));
      } finally {
        await server.stop();
      }
      turn++;
    }
  }
  progress.clear();
  return compared;
}

function tableOf(compared: readonly Compared[]): string {
  const whole = (n: number) => Math.round(n).toLocaleString('en-US');
  const lines = compared.map(({ row, sqlite, postgres }) => {
    const [file, database] = [median(sqlite), median(postgres)];
    // Pairs of one moment: both engines have what the machine had to give then.
    const share = median(postgres.map((rate, i) => rate / sqlite[i]!));
    const bar = BARS[row.name];
    const met = bar && database >= bar.rate && share >= bar.share ? 'yes' : 'no';
    const told = bar ? `${whole(bar.rate)}${bar.share > 0 ? ` and ${bar.share}` : ''}: ${met}` : '';
    return `| ${row.name} | ${whole(file)} | ${whole(database)} | ${share.toFixed(2)} | ${told} |`;
  });
  return [
    '| requests a second | SQLite | PostgreSQL | ratio | bar |',
    '| --- | ---: | ---: | ---: | --- |',
    ...lines,
  ].join('\n');
}

async function measureAll(setting: Setting, progress: Progress): Promise<void> {
  // What PostgreSQL comes with is meant for a machine with 128 MB.
  const postgres = await startPostgres(['shared_buffers=1GB', 'max_wal_size=4GB', ...values.set]);
  try {
    const address = await postgres.newDatabase();
    progress.show(0, 1, 'seeding PostgreSQL');
    await seedPostgres(address, setting.hashes);
    const compared = values['simulation-only'] ? [] : await compare(setting, address, progress);
    progress.show(0, 1, 'two servers');
    const simulated = await postgres.newDatabase();
    await seedPostgres(simulated, setting.hashes);
    const findings = await simulate(setting.folder, simulated, setting.hashes);
    const machine = describeMachine(setting.folder);
    progress.clear();
    if (values.json) process.stdout.write(`${JSON.stringify({ compared, findings, machine })}\n`);
    else {
      const lines = findings.map(([what, value]) => `| ${what} | ${value} |`);
      const two = ['| two servers, one database | |', '| --- | ---: |', ...lines].join('\n');
      const tables = [...(compared.length > 0 ? [tableOf(compared)] : []), two, tellMachine(machine)];
      process.stdout.write(`${tables.join('\n\n')}\n`);
    }
  } finally {
    await postgres.stop();
  }
}

if (values.help) process.stdout.write(USAGE);
else {
  const start = {
    cache: values.cache,
    outhashes: values.outhashes,
    hashes: Number(values.hashes),
    oneCopy: false,
    generator: null,
    scale: Number(values.scale),
    serve: positionals,
    profile: false,
  };
  await withSetting(start, measureAll);
}
