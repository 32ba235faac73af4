import { parseArgs } from 'node:util';
import type { Context } from '../e2e/helpers.ts';
import { torture } from './rounds.ts';

const USAGE = `Kills servers under load and checks that nothing answered is lost (npm run build first).

Usage: npm run torture -- [--kills N] [--mode MODE]...

  --kills N    kills in each mode [default: 20]
  --mode MODE  a value of --sync-mode; several times for several [default: immediate, periodic:0.2, on_shutdown]
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      mode: { type: 'string', multiple: true, default: ['immediate', 'periodic:0.2', 'on_shutdown'] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const kills = Number(values.kills);
  if (!Number.isInteger(kills) || kills < 1) {
    process.stderr.write(`--kills: ${JSON.stringify(values.kills)} is not a positive whole number\n`);
    return 2;
  }
  for (const syncMode of values.mode) {
    const answered = await withCleanUp((t) => torture(t, { syncMode, kills, onKill: progress(syncMode, kills) }));
    process.stdout.write(
      `${syncMode}: ${kills} kills, ${answered} answers found again, no torn report, no value twice\n`,
    );
  }
  return 0;
}

/** A line that is written over on a terminal; nothing elsewhere. */
function progress(mode: string, kills: number) {
  return (kill: number, answered: number) => {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r${mode}: kill ${kill} of ${kills}, ${answered} answers${kill === kills ? '\r\x1b[K' : ''}`);
  };
}

async function withCleanUp<T>(run: (t: Context) => Promise<T>): Promise<T> {
  const cleanUps: (() => void | Promise<void>)[] = [];
  try {
    return await run({ after: (cleanUp) => void cleanUps.push(cleanUp) });
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

process.exitCode = await main();
