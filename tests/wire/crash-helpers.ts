import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import type { JobKind } from '../../lib/jobs/kind.ts';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';

/** When a server is killed that runs a job. */
export interface Moment {
  /** So many slices of the job are done, in this start. */
  readonly slices: number;
  /** The next one has had so many turns of the event loop, unless it ended before. */
  readonly turns: number;
  /** How far it is was stored after every so many of them, as time would have it. */
  readonly storedEvery: number;
}

export const MOMENT: fc.Arbitrary<Moment> = fc.record({
  slices: fc.nat(14),
  turns: fc.nat(12),
  storedEvery: fc.integer({ min: 1, max: 4 }),
});

/**
 * What a kill at this moment leaves of a folder, in another one. A database's log comes first: what is moved into the
 * file meanwhile is in it all the same. By a process of its own, as closing a file here would give back SQLite's locks.
 */
export function crashImage(folder: string, image: string): void {
  const script = `mkdir "$2" && cd "$1" && for file in *-wal; do [ ! -e "$file" ] || cp "$file" "$2"; done
    for file in * .[!.]*; do case "$file" in *-wal|*-shm) ;; *) [ ! -e "$file" ] || cp -r "$file" "$2" ;; esac; done`;
  execFileSync('sh', ['-c', script, 'sh', folder, image]);
}

/**
 * Has the next job of a kind call `kill` at a moment of its run, and then end in this process; where the run ends before that, at its end.
 * @param moment null: never
 * @returns resolves when the run has ended
 */
export function killAt(kind: JobKind, moment: Moment | null, kill: () => void): Promise<void> {
  const run = kind.run.bind(kind);
  const { slices, turns, storedEvery } = moment ?? { slices: Infinity, turns: 0, storedEvery: Infinity };
  return new Promise((resolve) => {
    kind.run = async function* killed(job, from) {
      const steps = run(job, from);
      try {
        for (let done = 0; ; done++) {
          const next = steps.next();
          if (done === slices) {
            await Promise.race([next.catch(() => {}), passing(turns)]);
            kill();
          }
          const step = await next;
          if (step.done && !moment) return step.value;
          if (step.done && done < slices) kill();
          if (step.done || done === slices) throw new Error('killed');
          yield (done + 1) % storedEvery === 0 ? { ...step.value, save: true } : step.value;
        }
      } finally {
        await steps.return(null);
        resolve();
      }
    };
  });
}

async function passing(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await setImmediate();
}

/** Every row of a database file, without numbers of rows, what this server is called, and when it was looked. */
export async function rowsIn(file: string): Promise<Json> {
  const connection = await openBinding(file, 'read');
  try {
    const tables = await connection.all<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    );
    const content: { [table: string]: Json } = {};
    for (const { name } of tables) {
      const rows = await connection.all<{ [column: string]: Json }>(`SELECT * FROM ${name}`);
      const told = rows
        .filter((row) => row.name !== 'bakeserv-id')
        .map(({ id: _, ...row }) => JSON.stringify(row).replace(/(made|missing_since)\\":\\"[^"\\]*/g, '$1'));
      content[name] = told.sort();
    }
    return content;
  } finally {
    await connection.close();
  }
}

/** The files of a folder that a job wrote, and what is in them; of databases and exports alike. */
export async function filesIn(folder: string): Promise<Json> {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name)) : [];
  const files: { [name: string]: Json } = {};
  for (const name of names) {
    const file = path.join(folder, name);
    const shown = name.replace(/\d{8}T\d{6}Z(-\d+)?/, 'TIME');
    files[shown] = /\.(db|sqlite3)$/.test(name) ? await rowsIn(file) : fs.readFileSync(file, 'utf8');
  }
  return files;
}
