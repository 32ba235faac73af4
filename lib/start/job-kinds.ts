import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import { FILE_PARAMETER, type JobAccess, type JobKind, parametersOf, type Slice } from '../jobs/kind.ts';
import type { Config } from '../settings/config.ts';
import type { ServiceName } from '../settings/listener-spec.ts';
import { copyKind } from '../transfer/kind.ts';
import { realFile } from './checks.ts';
import { copyMeans, type DatabaseEnds } from './copies.ts';

/** A database file that is served, and the services in it. */
interface ServedFile {
  readonly file: string;
  readonly services: readonly ServiceName[];
}

/** What an engine does with files. It must do it through connections of its own alone (docs/architecture.md). */
export interface FileWork extends DatabaseEnds {
  backup(
    file: string,
    target: string,
    onProgress: (written: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<number>;
  check(file: string, signal: AbortSignal): Promise<object & { readonly problems: readonly string[] }>;
  openBackupFolder(folder: string): void;
  /** Removes what a backup left that was killed before its copy had this name. */
  removeUnfinished(target: string): void;
  backupName(of: ServedFile, time: Date): string;
  /** Resolves to what was removed. */
  removeOld(folder: string, made: string, keep: number): readonly string[];
}

/** How far a backup is: the copies that are made, and the name of the one that is being made. */
interface BackupPlace {
  readonly made: readonly { readonly [key: string]: Json }[];
  readonly target: string | null;
}

const DATABASE = { enum: ['hashserv', 'prserv'] };
const KEEP = 7;
const LOOK_MS = 200;

/** Jobs on whole databases: what `bakeserv backup`, `check` and `copy` do, in the server. */
export function fileKinds(services: Pick<Config, 'hashserv' | 'prserv' | 'jobs'>, work: FileWork): readonly JobKind[] {
  const files: ServedFile[] = [];
  for (const service of ['hashserv', 'prserv'] as const) {
    const config = services[service];
    if (!config || config.postgres !== null) continue;
    const file = realFile(config.file);
    const other = files.findIndex((each) => each.file === file);
    if (other < 0) files.push({ file, services: [service] });
    else files[other] = { file, services: [...files[other]!.services, service] };
  }
  const fileOf = (service: ServiceName): ServedFile => {
    const found = files.find((each) => each.services.includes(service));
    if (found) return found;
    const why = services[service]
      ? "is on PostgreSQL: back it up and check it with PostgreSQL's own programs, such as pg_dump"
      : 'is not served here';
    throw new InvokeError(`job-start: the database of ${service} ${why}`, undefined, 'invalid');
  };

  const backup: JobKind = {
    name: 'backup',
    describe: 'Copies the databases into a folder, as bakeserv backup',
    parameters: parametersOf({ folder: FILE_PARAMETER, keep: { type: 'integer', minimum: 0 }, database: DATABASE }, [
      'folder',
    ]),
    counts: 'KiB',
    // Copies that are whole stay; one that was being made is made again.
    resumable: true,
    access: () => 'owner',
    writes: () => null,
    check({ folder, database }: { folder: string; database?: ServiceName }) {
      if (!path.isAbsolute(folder))
        throw new InvokeError('job-start: backup: folder must be a full path', undefined, 'invalid');
      if (database) fileOf(database);
      else if (files.length === 0) fileOf(services.hashserv ? 'hashserv' : 'prserv');
    },
    async *run({ parameters, signal, note }, from) {
      const { folder, keep = KEEP, database } = parameters;
      const wanted = database ? [fileOf(database)] : files;
      const before = (from as unknown as BackupPlace | null) ?? { made: [], target: null };
      const made = [...before.made];
      let { target } = before;
      work.openBackupFolder(folder);
      const size = () => made.reduce((sum, { bytes }) => sum + Math.round((bytes as number) / 1024), 0);
      const slice = (written = 0, total = 0): Slice => {
        const soFar = { made: [...made] };
        return {
          position: { ...soFar, target },
          done: size() + written,
          total: size() + Math.max(written, total),
          soFar,
        };
      };
      for (const each of wanted.slice(made.length)) {
        // By its name the copy of a job that goes on is found again: it is whole, or not there.
        const isThere = target !== null && fs.existsSync(target);
        if (target !== null) work.removeUnfinished(target);
        const copied: string = target ?? path.join(folder, work.backupName(each, new Date()));
        target = copied;
        yield { ...slice(), save: true };
        const bytes = isThere ? fs.statSync(copied).size : yield* copying(each.file, copied, signal, slice);
        const removed = work.removeOld(folder, path.basename(copied), keep);
        made.push({ services: [...each.services], database: each.file, file: copied, bytes, removed: [...removed] });
        note(`${copied}: ${bytes} bytes`);
        target = null;
        yield { ...slice(), save: true };
      }
      return { made };
    },
  };

  /** Copies a file, and resolves to the bytes of the copy. */
  async function* copying(
    file: string,
    target: string,
    signal: AbortSignal,
    slice: (done: number, total: number) => Slice,
  ) {
    let [written, total] = [0, 0];
    const copy = work.backup(
      file,
      target,
      (bytes, all) => {
        [written, total] = [Math.round(bytes / 1024), Math.round(all / 1024)];
      },
      signal,
    );
    const over = copy.then(
      () => true,
      () => true,
    );
    try {
      while (!(await Promise.race([over, pause(LOOK_MS, false, { ref: false })]))) yield slice(written, total);
      return await copy;
    } finally {
      // Where the job was stopped, nothing is written any more once it has ended.
      await over;
    }
  }

  const check: JobKind = {
    name: 'check',
    describe: 'Checks a database that is served, or a file, as bakeserv check',
    parameters: parametersOf({ database: DATABASE, file: FILE_PARAMETER }),
    counts: 'files',
    resumable: true,
    access({ database, file }: { database?: ServiceName; file?: string }): JobAccess {
      if (file !== undefined || database === undefined) return 'owner';
      // What is found in a file that both share may be of the other service.
      return files.some((each) => each.services.length > 1) ? 'owner' : database;
    },
    writes: () => null,
    check({ database, file }: { database?: ServiceName; file?: string }) {
      if ((database === undefined) === (file === undefined))
        throw new InvokeError('job-start: check: name a database (hashserv, prserv) or a file', undefined, 'invalid');
      if (file !== undefined && !path.isAbsolute(file))
        throw new InvokeError('job-start: check: file must be a full path', undefined, 'invalid');
      if (database) fileOf(database);
    },
    async *run({ parameters: { database, file }, signal, note }) {
      yield { position: null, done: 0, total: 1, soFar: null };
      const report = await work.check(file ?? fileOf(database).file, signal);
      for (const problem of report.problems) note(`problem: ${problem}`);
      yield { position: null, done: 1, total: 1, soFar: null };
      return { ...report } as unknown as Json;
    },
  };
  const copy = copyKind(copyMeans(services, work));
  return files.length === 0 ? [check, copy] : [backup, check, copy];
}
