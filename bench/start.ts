import fs from 'node:fs';
import path from 'node:path';
import type { ParseArgsConfig } from 'node:util';
import { createProgress, type Progress } from './progress.ts';
import type { Setting } from './run.ts';
import { seededDatabase } from './seed.ts';

/** What `npm run bench` and `npm run bench:growth` both take; the defaults of --hashes and --repeats are theirs. */
export const SHARED_OPTIONS = {
  outhashes: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [''] },
  scale: { type: 'string', default: '1' },
  cache: { type: 'string', default: path.join(import.meta.dirname, '../.bench-cache') },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options'];

export const SHARED_USAGE = `  --outhashes       an outhash row for each hash besides, as reports leave them: twice the size
  --only TEXT       only rows whose name holds this; may be given several times
  --scale X         multiply every count of requests, 0.1 for a quick look [1]
  --cache DIR       where seeded databases are kept, and copies made [.bench-cache]
  --json            one JSON object on stdout instead of the table
`;

/** What a run is started with: the arguments, and what is fixed by the benchmark. */
export interface Start extends Pick<Setting, 'hashes' | 'oneCopy' | 'generator' | 'scale' | 'serve' | 'profile'> {
  readonly cache: string;
  /** Whether each hash has an outhash row too. */
  readonly outhashes: boolean;
}

/**
 * Seeds the database unless the cache has it, and hands on a setting with a folder that is gone afterwards.
 * @throws Error when the disk has no room, and whatever `use` rejects with
 */
export async function withSetting<T>(
  { cache, outhashes, ...start }: Start,
  use: (setting: Setting, progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = createProgress();
  const { hashes } = start;
  const seeded = await seededDatabase(cache, { hashes, outhashes }, (done, total) =>
    progress.show(done, total, `seeding ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} hashes`),
  );
  const folder = runFolder(cache);
  try {
    return await use({ ...start, folder, seeded }, progress);
  } finally {
    progress.clear();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder in the cache for one run, which is removed however the process ends: copies are large. */
export function runFolder(cache: string): string {
  const folder = fs.mkdtempSync(path.join(cache, 'run-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  return folder;
}
