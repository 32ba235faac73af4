import path from 'node:path';
import { BakeservError, type ErrorCode, errorText } from '../../errors.ts';
import { backupDatabase, backupName, openBackupFolder, removeOld } from '../../server.ts';
import { createProgress } from '../client/progress.ts';
import type { ServerCall } from '../commands/call.ts';
import { refuseWith } from '../jobs/background.ts';
import { inServer, refuseServer } from '../jobs/in-server.ts';
import { type Database, databasesOf, type ServiceName } from './databases.ts';

/** A backup that was made. */
interface Made {
  readonly services: readonly ServiceName[];
  readonly database: string;
  readonly file: string;
  readonly bytes: number;
  /** Older backups that went. */
  readonly removed: readonly string[];
}

/** `bakeserv backup DIR`. */
export async function run({ args, flags }: ServerCall): Promise<number> {
  const folder = path.resolve(args.need('DIR'));
  const keep = args.number('keep', 7);
  if (args.has('background')) {
    refuseWith('backup', args, ['config', 'hashserv-db', 'prserv-db']);
    return inServer(args, 'backup', { folder, keep });
  }
  refuseServer('backup', args);
  const databases = await databasesOf(flags);
  openBackupFolder(folder);
  const time = new Date();
  const made: Made[] = [];
  const failed: unknown[] = [];
  // One that cannot be copied is no reason to go without the other.
  for (const database of databases) {
    try {
      made.push(await backUp(database, path.join(folder, backupName(database, time)), keep));
    } catch (error) {
      failed.push(error);
    }
  }
  const text = made.map(describe).join('');
  process.stdout.write(args.has('json') ? `${JSON.stringify(made, null, 2)}\n` : text);
  if (failed.length > 0) throw together(failed);
  return 0;
}

async function backUp({ file, services }: Database, target: string, keep: number): Promise<Made> {
  let shown = 0;
  const progress = await createProgress(`KiB of ${path.basename(target)}`, 1);
  try {
    const bytes = await backupDatabase(file, target, (written, total) => {
      const now = Math.round(written / 1024);
      progress.setTotal(Math.max(now, Math.round(total / 1024)));
      progress.add(now - shown);
      shown = now;
    });
    const removed = removeOld(path.dirname(target), path.basename(target), keep);
    return { services, database: file, file: target, bytes, removed };
  } finally {
    progress.stop();
  }
}

function describe({ database, file, bytes, removed }: Made): string {
  const lines = [`${file}: ${bytes} bytes, of ${database}`, ...removed.map((old) => `${old}: removed`)];
  return lines.map((line) => `${line}\n`).join('');
}

/** One error for what went wrong with each database; of its kind is the first. */
function together(failed: readonly unknown[]): unknown {
  const [first] = failed;
  if (failed.length === 1) return first;
  const code: ErrorCode = first instanceof BakeservError ? first.code : 'storage-io';
  return new BakeservError(code, failed.map(errorText).join('\n'), first);
}
