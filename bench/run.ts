import fs from 'node:fs';
import path from 'node:path';
import { type LoadResult, monotonicUs } from './generator.ts';
import { type LoadRequest, load } from './processes.ts';
import { readProfile, type SelfTime, topSelfTimes } from './profile.ts';
import { echoOf, type KeyPlan, planKeys, type Row } from './rows.ts';
import { copyDatabase } from './seed.ts';
import { type Server, startBakeserv, startEcho } from './servers.ts';

/** What every row of a run is measured with. */
export interface Setting {
  /** A folder of this run alone, removed after it. */
  readonly folder: string;
  /** The seeded database; never opened, only copied. */
  readonly seeded: string;
  /** One copy for all rows, where a copy for each would take minutes: rows that write then find what others wrote. */
  readonly oneCopy: boolean;
  readonly hashes: number;
  /** The C load generator, compiled; null for ours. */
  readonly generator: string | null;
  /** Shrinks every count of requests. */
  readonly scale: number;
  /** Further options of `bakeserv serve`. */
  readonly serve: readonly string[];
  /** Run the server under --cpu-prof. */
  readonly profile: boolean;
}

/** One measurement of a row, with echo's in the moment before it. */
export interface Sample {
  readonly row: Row;
  readonly result: LoadResult;
  readonly echo: LoadResult;
  readonly startMs: number;
  readonly residentBytes: number;
  readonly selfTimes: readonly SelfTime[];
}

const PROFILE_LINES = 25;

/**
 * Measures echo, then bakeserv in a new process on a copy of the database.
 * @param turn another number for each measurement: no two store the same new keys
 */
async function measure(row: Row, echo: Server, setting: Setting, turn: number): Promise<Sample> {
  const echoResult = await measureEcho(row, echo, setting);
  const plan = planKeys(row, setting.hashes, turn, setting.scale);
  return withServer(setting, async (server, profileFolder) => {
    const ask = (keys: KeyPlan['warm'], mode = row.mode) =>
      load(server.address, setting.generator, { ...requestOf(row, keys), mode });
    await server.filled().catch((error) => failRow(row, error));
    await ask(plan.warm, row.warmMode).catch((error) => failRow(row, error));
    const result = await ask(plan.measured).catch((error) => failRow(row, error));
    const to = result.ended_us ?? monotonicUs();
    const from = to - result.seconds * 1e6;
    if (row.temperature === 'missing' && result.hits > 0)
      throw new Error(`${row.name}: ${result.hits} of ${result.requests} answers name what is not there`);
    if (row.temperature !== 'missing' && result.misses > 0)
      throw new Error(`${row.name}: ${result.misses} of ${result.requests} answers were misses or errors`);
    const residentBytes = server.residentBytes().peak;
    await server.stop();
    const selfTimes = profileFolder ? topSelfTimes(readProfile(profileFolder), from, to, PROFILE_LINES) : [];
    return { row, result, echo: echoResult, startMs: server.startMs, residentBytes, selfTimes };
  });
}

/**
 * Measures each row as often as asked, in turn with the others: a machine that is slower for a minute is slower for
 * every row.
 * @param before told of each measurement: how many came before it, its row, and which of the repeats it is
 */
export async function measureRows(
  rows: readonly Row[],
  repeats: number,
  setting: Setting,
  before: (done: number, row: Row, repeat: number) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const echo = await startEcho(setting.folder);
  try {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const row of rows) {
        before(samples.length, row, repeat);
        samples.push(await measure(row, echo, setting, samples.length));
      }
    }
  } finally {
    await echo.stop();
  }
  return samples;
}

/** Says which row it was that could not be measured. */
function failRow(row: Row, error: Error): never {
  throw new Error(`${row.name}: ${error.message}`, { cause: error });
}

export function requestOf(row: Row, keys: KeyPlan['warm']): LoadRequest {
  return { mode: row.mode, shape: row.shape, oneShot: row.oneShot, ...keys };
}

function measureEcho(row: Row, echo: Server, { generator, scale }: Setting): Promise<LoadResult> {
  const requests = Math.max(100, Math.round(echoOf(row.gauge).requests * scale));
  const keys = Math.min(requests, 20_000);
  return load(echo.address, generator, { mode: 'get', shape: row.gauge, offset: 0, keys, requests, unchecked: true });
}

/** Runs something against a server on a copy of the database; the server, and a copy of its own, are gone afterwards. */
export async function withServer<T>(
  { folder, seeded, oneCopy, serve, profile }: Setting,
  use: (server: Server, profileFolder: string | null) => Promise<T>,
  options: { readonly descriptors?: number; readonly extra?: readonly string[] } = {},
): Promise<T> {
  const own = fs.mkdtempSync(path.join(folder, 'server-'));
  const database = path.join(oneCopy ? folder : own, 'hashserv.db');
  let server: Server | null = null;
  try {
    if (!fs.existsSync(database)) copyDatabase(seeded, database);
    server = await startBakeserv({
      folder: own,
      database,
      extra: [...serve, ...(options.extra ?? [])],
      ...(options.descriptors && { descriptors: options.descriptors }),
      ...(profile && { profileFolder: own }),
    });
    return await use(server, profile ? own : null);
  } finally {
    await server?.stop();
    fs.rmSync(own, { recursive: true, force: true });
  }
}
