import fs from 'node:fs';
import path from 'node:path';
import { InvokeError, reasonOf } from '../../errors.ts';

/** The unihash in a shared-state file's name: `sstate:…:<unihash>_<task>.tar.zst`, and its `.siginfo`. */
const NAME = /^sstate:.*:([0-9a-f]{64})_[^:]*$/;

/**
 * Every unihash in a shared-state folder, once for each folder below it that has files with it. Links are followed: a
 * mirror may consist of links, and a unihash that is missed here is lost.
 */
export async function* scanSharedState(
  folder: string,
  onUnihash: () => void,
): AsyncGenerator<{ unihash: string }, void, undefined> {
  const left = [folder];
  const entered = new Set<string>();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const real = await realPath(next);
    if (entered.has(real)) continue;
    entered.add(real);
    const seen = new Set<string>();
    for await (const entry of await openFolder(next)) {
      const name = path.join(next, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && leadsToFolder(name))) left.push(name);
      const unihash = NAME.exec(entry.name)?.[1];
      if (unihash === undefined || seen.has(unihash)) continue;
      seen.add(unihash);
      onUnihash();
      yield { unihash };
    }
  }
}

function leadsToFolder(link: string): boolean {
  return fs.statSync(link, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A folder that cannot be read must end the collection: the hashes of its files would be lost. */
function openFolder(folder: string): Promise<fs.Dir> {
  return fs.promises.opendir(folder).catch((error) => {
    throw new InvokeError(`cannot read the shared-state folder ${folder}: ${reasonOf(error)}`, error);
  });
}

function realPath(folder: string): Promise<string> {
  return fs.promises.realpath(folder).catch((error) => {
    throw new InvokeError(`cannot read the shared-state folder ${folder}: ${reasonOf(error)}`, error);
  });
}
