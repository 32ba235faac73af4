import { COLUMNS, methodColumns } from '../../lib/recorder/columns.ts';
import { load, save } from '../../lib/recorder/file.ts';
import { columnOf, Tracks } from '../../lib/recorder/tracks.ts';
import { MOMENTS_TABLE } from '../../lib/storage/sqlite/pr/moments.ts';
import { withSqlite } from '../contract/helpers.ts';
import { METHOD } from '../e2e/helpers.ts';

/** Two days fill a plot of hours as well as one of minutes. */
const HOURS = 48;

/**
 * Gives a server a past: figures of two days of builds, up to what it has counted itself. To be called while it does not run.
 * @param file where it keeps its figures
 */
export async function givePast(file: string): Promise<void> {
  const tracks = new Tracks();
  const { methods } = load(file, COLUMNS, tracks.rings);
  for (const ring of tracks.rings) {
    const { bucketMs, buckets } = ring.shape;
    const begun = ring.oldest!;
    for (let ago = 1; ago <= Math.min(buckets - 2, (HOURS * 3_600_000) / bucketMs); ago++) {
      ring.open(begun - ago);
      for (const [name, value] of Object.entries(figuresOf((begun - ago) * bucketMs, bucketMs / 1000)))
        ring.set(begun - ago, columnOf(name), value);
      for (const name of ['hashserv.database_bytes', 'prserv.database_bytes', 'unihashes', 'outhashes', 'packages']) {
        // They have grown to what they are now.
        const level = ring.get(begun, columnOf(name));
        ring.set(
          begun - ago,
          columnOf(name),
          Math.ceil((level * (1 - (ago * bucketMs) / 3_600_000 / 80)) / 4096) * 4096,
        );
      }
    }
  }
  await save(file, { columns: COLUMNS, methods: methods[0] ? methods : [METHOD], rings: tracks.rings });
}

/** Has the values of a version been given one a day, up to yesterday, the first few before anybody noted days. */
export async function giveTimes(file: string, version: string): Promise<void> {
  const UNTIMED = 3;
  await withSqlite(file, async (run) => {
    await run(MOMENTS_TABLE);
    const rows = await run('SELECT pkgarch, checksum, value FROM PRMAIN WHERE version = ? ORDER BY rowid', [version]);
    for (const [i, { pkgarch, checksum, value }] of rows.slice(UNTIMED - 1, -1).entries()) {
      const days = rows.length - UNTIMED - i;
      const moment = new Date(Date.now() - days * 86_400_000).toISOString();
      const row = [moment.slice(0, 10), moment, version, pkgarch!, checksum!, value!];
      await run('INSERT OR REPLACE INTO bakeserv_pr_moments VALUES (?, ?, ?, ?, ?, ?)', row);
    }
  });
}

/** What builders asked in a bucket: a few builds at a time, each of which looks everything up and then reports. */
function figuresOf(ms: number, seconds: number): Record<string, number> {
  const wave = (minutes: number, shift: number) => 1 + Math.sin((ms / 60_000 / minutes + shift) * 2 * Math.PI);
  const noise = Math.abs(Math.sin(ms / 60_000) * 10_000) % 1;
  const load = wave(23, 0.1) ** 3 * 40 + wave(9, 0.4) * 12 + noise * 25;
  const lines = Math.round(load * 9 * seconds);
  const [hits, upstream] = [0.78 + noise * 0.1, 0.06];
  const lookups = [hits, 1 - hits - upstream, upstream].map((share) => Math.round(lines * share));
  const [hit, missed, above] = lookups as [number, number, number];
  const [hitsOf, missesOf, aboveOf] = methodColumns(0) as [string, string, string];
  return {
    'hashserv.requests': Math.round(load * seconds),
    'hashserv.refused': 0,
    'hashserv.failed': 0,
    'hashserv.lines': lines,
    'hashserv.p50': 0.0004 + load * 2e-6,
    'hashserv.p99': 0.0016 + load * 1e-5 + noise * 8e-4,
    'prserv.requests': Math.round(wave(31, 0.7) * 14 * seconds),
    'prserv.refused': 0,
    'prserv.failed': 0,
    connections: Math.round(6 + wave(23, 0.1) * 14 + noise * 4),
    'lookups.hits': hit,
    'lookups.misses': missed,
    'lookups.upstream_hits': above,
    [hitsOf]: hit,
    [missesOf]: missed,
    [aboveOf]: above,
  };
}
