/** `npm run bench:pull`: a server takes all hashes of another, or of a file, while builds go on. See README.md here. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { connectHashClient } from '../lib/hashserv/client.ts';
import { hashOf, METHOD, OUTHASH, TASKHASH, UNIHASH } from './keys.ts';
import { describeMachine, tellMachine } from './machine.ts';
import type { Progress } from './progress.ts';
import type { Setting } from './run.ts';
import { copyDatabase } from './seed.ts';
import { type Server, startBakeserv } from './servers.ts';
import { SHARED_OPTIONS, withSetting } from './start.ts';
import { median, percentile } from './statistics.ts';

const USAGE = `npm run bench:pull -- [options] [-- options of bakeserv serve]
  --hashes N     hashes of the source, each with a report [1000000]
  --repeats N    how often each kind of source is measured, in turn [1]
  --from KIND    server or file; may be given several times [server, file]
  --again        pull what is there already too
  --idle         no builds go on: only pings
  --against DIR  another checkout, built, that is measured in turn with this one
  --cache DIR    where seeded databases are kept, and copies made [.bench-cache]
  --json         one JSON object on stdout instead of the table
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SHARED_OPTIONS,
    hashes: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '1' },
    from: { type: 'string', multiple: true, default: ['server', 'file'] },
    again: { type: 'boolean', default: false },
    idle: { type: 'boolean', default: false },
    against: { type: 'string' },
  },
});

/** What builders ask for meanwhile: a report and ten look-ups, so often. */
const REPORT_EVERY_MS = 50;
const LOOKUPS = 10;
/** Keys of reports that no source has. */
const FRESH_KEYS = 2 ** 40;

/** One pull. */
interface Measured {
  readonly build: string;
  readonly from: string;
  readonly what: string;
  readonly rows: number;
  readonly seconds: number;
  /** Of all threads of both servers, or of the target where it reads a file. */
  readonly sourceCpuMs: number;
  readonly targetCpuMs: number;
  readonly targetMainMs: number;
  readonly pingP50Ms: number;
  readonly pingP99Ms: number;
  readonly reportP50Ms: number;
  /** What the target's resident memory was at its highest, above that before. */
  readonly grewMb: number;
  readonly reportP99Ms: number;
}

const inMs = (times: readonly number[], share: number) =>
  percentile(
    [...times].sort((a, b) => a - b),
    share,
  );

/** Asks a server for pings one after the other, and reports and looks up as builds do, until it is told to end. */
async function builds(address: string) {
  const [pinger, builder] = [await connectHashClient(address), await connectHashClient(address)];
  const pings: number[] = [];
  const reports: number[] = [];
  let goesOn = true;
  const timed = async (times: number[], ask: () => Promise<unknown>) => {
    const began = performance.now();
    await ask();
    times.push(performance.now() - began);
  };
  const pinging = (async () => {
    while (goesOn) {
      await timed(pings, () => pinger.ping());
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const building = (async () => {
    for (let key = FRESH_KEYS; goesOn && !values.idle; key++) {
      const [taskhash, outhash, unihash] = [TASKHASH, OUTHASH, UNIHASH].map((kind) => hashOf(key, kind));
      await timed(reports, () =>
        builder.report({ method: METHOD, taskhash: taskhash!, outhash: outhash!, unihash: unihash! }),
      );
      const tasks = Array.from({ length: LOOKUPS }, (_, i) => ({ method: METHOD, taskhash: hashOf(i, TASKHASH) }));
      await builder.getUnihashes(tasks);
      await new Promise((resolve) => setTimeout(resolve, REPORT_EVERY_MS));
    }
  })();
  return async () => {
    goesOn = false;
    await Promise.all([pinging, building]);
    pinger.close();
    builder.close();
    return { pings, reports };
  };
}

/** Has a server pull, as a user would, and waits for the end. */
async function pull(target: Server, source: string): Promise<number> {
  const launcher = path.join(import.meta.dirname, '../dist/bin/launch.cjs');
  const args = [launcher, 'pull', source, `--pid=${target.pid}`, '--hashes', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { hashes } = JSON.parse(stdout) as { hashes: { read: number } };
  return hashes.read;
}

async function measurePull(build: string, from: string, what: string, source: Server, target: Server, file: string) {
  const address = source.address.replace(/^unix:/, 'unix://');
  const end = await builds(target.address.replace(/^unix:/, 'unix://'));
  const before = [source.work().cpuMs, target.work().cpuMs, target.mainThreadMs()];
  const residentBefore = target.residentBytes().now;
  const began = performance.now();
  const rows = await pull(target, from === 'server' ? address : file);
  const seconds = (performance.now() - began) / 1000;
  const after = [source.work().cpuMs, target.work().cpuMs, target.mainThreadMs()];
  const { pings, reports } = await end();
  const [sourceCpuMs, targetCpuMs, targetMainMs] = after.map((ms, i) => ms - before[i]!);
  const measured: Measured = {
    ...{ build, from, what, rows, seconds },
    ...{ sourceCpuMs: sourceCpuMs!, targetCpuMs: targetCpuMs!, targetMainMs: targetMainMs! },
    pingP50Ms: inMs(pings, 0.5),
    pingP99Ms: inMs(pings, 0.99),
    reportP50Ms: inMs(reports, 0.5),
    grewMb: (target.residentBytes().peak - residentBefore) / 1e6,
    reportP99Ms: inMs(reports, 0.99),
  };
  return measured;
}

/** A new target for each measurement; the source is read only. */
async function measure(setting: Setting, build: string, root: string, from: string, file: string): Promise<Measured[]> {
  const folder = fs.mkdtempSync(path.join(setting.folder, 'pull-'));
  const launcher = path.join(root, 'dist/bin/launch.cjs');
  const start = (name: string, database: string) => {
    const own = path.join(folder, name);
    fs.mkdirSync(own);
    return startBakeserv({ folder: own, database, launcher, extra: setting.serve });
  };
  const source = await start('source', file);
  try {
    await source.filled();
    const target = await start('target', path.join(folder, 'target.db'));
    try {
      const first = await measurePull(build, from, 'new', source, target, file);
      if (!values.again) return [first];
      // So that all of it is read again.
      const all = await measurePull(build, from, 'there already', source, target, file);
      return [first, all];
    } finally {
      await target.stop();
    }
  } finally {
    await source.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function tableOf(all: readonly Measured[]): string {
  const whole = (n: number) => Math.round(n).toLocaleString('en-US');
  const kinds = [...new Set(all.map(({ build, from, what }) => `${from}, ${what}${build && `, ${build}`}`))];
  const lines = kinds.map((kind) => {
    const some = all.filter(({ build, from, what }) => `${from}, ${what}${build && `, ${build}`}` === kind);
    const of = (value: (one: Measured) => number) => median(some.map(value));
    const perRow = (value: (one: Measured) => number) => of((one) => (value(one) * 1000) / one.rows).toFixed(1);
    const ms = (value: (one: Measured) => number) => of(value).toFixed(1);
    return `| ${[
      kind,
      whole(of(({ rows }) => rows)),
      of(({ seconds }) => seconds).toFixed(1),
      whole(of(({ rows, seconds }) => rows / seconds)),
      perRow(({ sourceCpuMs }) => sourceCpuMs),
      perRow(({ targetCpuMs }) => targetCpuMs),
      perRow(({ targetMainMs }) => targetMainMs),
      ms(({ pingP50Ms }) => pingP50Ms),
      ms(({ pingP99Ms }) => pingP99Ms),
      ms(({ reportP50Ms }) => reportP50Ms),
      ms(({ reportP99Ms }) => reportP99Ms),
      whole(of(({ grewMb }) => grewMb)),
    ].join(' | ')} |`;
  });
  return [
    '| source | rows | s | rows/s | source µs/row | target µs/row | its main thread | ping p50 ms | ping p99 ms | report p50 ms | report p99 ms | RSS +MB |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
}

async function measureAll(setting: Setting, progress: Progress): Promise<void> {
  const file = path.join(setting.folder, 'source.db');
  copyDatabase(setting.seeded, file);
  const here = path.join(import.meta.dirname, '..');
  const roots = values.against
    ? [
        ['before', path.resolve(values.against)],
        ['after', here],
      ]
    : [['', here]];
  const all: Measured[] = [];
  const repeats = Number(values.repeats);
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const from of values.from)
      for (const [build, root] of roots) {
        progress.show(repeat, repeats, `${from} ${build}`);
        all.push(...(await measure(setting, build!, root!, from, file)));
      }
  progress.clear();
  const machine = describeMachine(setting.folder);
  process.stdout.write(
    values.json ? `${JSON.stringify({ all, machine })}\n` : `${tableOf(all)}\n\n${tellMachine(machine)}\n`,
  );
}

if (values.help) process.stdout.write(USAGE);
else {
  const start = {
    cache: values.cache,
    outhashes: true,
    hashes: Number(values.hashes),
    oneCopy: true,
    generator: null,
    scale: 1,
    serve: positionals,
    profile: false,
  };
  await withSetting(start, measureAll);
}
