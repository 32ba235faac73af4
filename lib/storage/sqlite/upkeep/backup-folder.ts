import fs from 'node:fs';
import path from 'node:path';

const ENDINGS = { hashserv: 'db', prserv: 'sqlite3' } as const;
const TIME = '\\d{8}T\\d{6}Z';
/** What a backup that was killed leaves, under a name no server and no backup looks at. */
const UNFINISHED = new RegExp(`^\\.(hashserv|prserv)-${TIME}\\.(db|sqlite3)\\.[0-9a-f]{12}(-journal)?$`);
/** Writing and checking a copy takes less. */
const LEFT_AFTER_MS = 24 * 3600 * 1000;

/** `hashserv-20261121T190000Z.db`: the first service of the file, and when. */
export function backupName(
  { services: [service] }: { readonly services: readonly (keyof typeof ENDINGS)[] },
  time: Date,
): string {
  const text = time.toISOString().replace(/[-:]|\.\d+/g, '');
  return `${service}-${text}.${ENDINGS[service!]}`;
}

/**
 * Makes the folder where need be.
 * @throws the system's error when it cannot be made or written
 */
export function openBackupFolder(folder: string): void {
  makeFolder(folder);
  fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
  for (const name of fs.readdirSync(folder)) {
    if (!UNFINISHED.test(name)) continue;
    const found = fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false });
    if (found?.isFile() && Date.now() - found.mtimeMs > LEFT_AFTER_MS)
      fs.rmSync(path.join(folder, name), { force: true });
  }
}

/**
 * Removes what a backup left that was killed before its copy had its name, whatever its age: only for whoever knows that
 * nobody makes that copy now.
 */
export function removeUnfinished(target: string): void {
  const [folder, begin] = [path.dirname(target), `.${path.basename(target)}.`];
  for (const name of fs.readdirSync(folder))
    if (name.startsWith(begin) && UNFINISHED.test(name)) fs.rmSync(path.join(folder, name), { force: true });
}

/** Not by Node's `recursive`, which never ends where a folder is there and refuses to have one made in it, as /proc does. */
function makeFolder(folder: string): void {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const above = path.dirname(folder);
  if (!fs.existsSync(above)) makeFolder(above);
  fs.mkdirSync(folder, { mode: 0o750 });
}

/**
 * Removes what is older than the newest `keep` backups of that database, and never the one just made, whatever the clock said
 * when the others were.
 * @returns the files removed
 */
export function removeOld(folder: string, made: string, keep: number): string[] {
  if (keep === 0) return [];
  const [service] = made.split('-');
  const pattern = new RegExp(`^${service}-${TIME}\\.${ENDINGS[service as keyof typeof ENDINGS]}$`);
  const all = fs.readdirSync(folder).filter((name) => pattern.test(name));
  // The time in the name sorts as text.
  const old = all.sort().reverse().slice(keep);
  const removed = old.filter((name) => name < made).map((name) => path.join(folder, name));
  for (const file of removed) fs.rmSync(file, { force: true });
  return removed;
}
