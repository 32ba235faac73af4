import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { SILENT } from '../lib/log.ts';
import { openBinding } from '../lib/storage/sqlite/engine/binding.ts';
import { HASH_SCHEMA } from '../lib/storage/sqlite/hash/schema.ts';

/** What a seeded database holds. */
export interface Contents {
  readonly hashes: number;
  /** Whether each hash has an outhash row too. */
  readonly outhashes: boolean;
}

/** With their indexes, 463 and 962 measured; a little more, so that the check of the disk errs on the safe side. */
const bytesFor = ({ hashes, outhashes }: Contents) => hashes * (outhashes ? 1000 : 500);

/**
 * Makes sure that the cache folder holds a database with the keys 0 to `hashes - 1`, and returns its file. Rows go in
 * in the order of their keys, so that the pages of the indexes are as full, and as scattered, as reports leave them:
 * sorted rows would pack them, and the first reports measured would split every page they touch.
 * @throws Error when the disk has no room
 */
export async function seededDatabase(
  folder: string,
  contents: Contents,
  progress: (done: number, total: number) => void,
): Promise<string> {
  fs.mkdirSync(folder, { recursive: true });
  const kind = contents.outhashes ? 'hash-outhash' : 'hash';
  const file = path.join(folder, `${kind}-${contents.hashes}-${await schemaDigest()}.db`);
  if (fs.existsSync(file)) return file;
  // The file, and the copy that a server works on.
  requireSpace(folder, 2 * bytesFor(contents));
  const unfinished = `${file}.part`;
  fs.rmSync(unfinished, { force: true });
  await seed(unfinished, contents, progress);
  fs.renameSync(unfinished, file);
  return file;
}

/** A database seeded under another schema would be migrated at each start: the schema is part of its name. */
async function schemaDigest(): Promise<string> {
  const memory = await openBinding(':memory:', 'create');
  await HASH_SCHEMA.migrate(memory, SILENT);
  const rows = await memory.all('SELECT sql FROM sqlite_master ORDER BY name');
  await memory.close();
  return crypto.createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 8);
}

/** In a process of its own: the memory the page cache took is then given back for the measurement. */
async function seed(file: string, contents: Contents, progress: (done: number, total: number) => void): Promise<void> {
  const program = path.join(import.meta.dirname, 'seeder.ts');
  const { hashes, outhashes } = contents;
  const cacheBytes = Math.min(bytesFor(contents), freeMemoryBytes() / 2) + 64 * 2 ** 20;
  const args = [file, hashes, Math.round(cacheBytes / 1024), outhashes ? 'outhashes' : ''].map(String);
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => progress(Number(line), hashes));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`seeding ${file} failed: seeder.ts ended with ${code}`);
  syncFile(file);
}

/** A copy that shares blocks where the file system can, on the disk before a measurement begins. */
export function copyDatabase(from: string, to: string): void {
  requireSpace(path.dirname(to), fs.statSync(from).size);
  execFileSync('cp', ['--reflink=auto', from, to]);
  syncFile(to);
}

/** Data not yet written would be written by the server's first fsync, and measured as its own. */
function syncFile(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}

function requireSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = fs.statfsSync(folder);
  const free = bavail * bsize;
  if (free < bytes + 2 ** 30) {
    const gib = (n: number) => `${(n / 2 ** 30).toFixed(1)} GiB`;
    throw new Error(
      `${folder}: ${gib(free)} free, ${gib(bytes + 2 ** 30)} needed; ask for fewer hashes or set --cache`,
    );
  }
}

function freeMemoryBytes(): number {
  const line = /^MemAvailable:\s+(\d+) kB/m.exec(fs.readFileSync('/proc/meminfo', 'utf8'));
  return line ? Number(line[1]) * 1024 : 2 ** 30;
}
