import fs from 'node:fs';
import path from 'node:path';
import { InvokeError, reasonOf } from '../../errors.ts';

/** The layout is `universal/XX/YY` at most; a folder below that is somebody else's. */
const MAX_DEPTH = 6;
/** Folders from here on are those of the usual layout: whoever keeps a million files in one does so further up. */
const FEW_FILES_DEPTH = 2;
/** Folders read at once: on a file server each takes a round trip. */
const FOLDERS_AT_ONCE = 8;
const SHOWN_PROBLEMS = 10;

/** A regular file, or a link to one. */
export interface FoundFile {
  readonly name: string;
  /** The folder that it is in. */
  readonly folder: string;
}

/** What was met beside files. */
export interface WalkFigures {
  folders: number;
  files: number;
  /** Links to folders, and links that lead to nothing: none was followed. */
  links: number;
  /** Folders and files that were gone when they were looked at. */
  vanished: number;
  /** Folders that could not be read: nothing is known of what is in them. */
  unreadable: number;
  /** A few of them, with the reason. */
  readonly problems: string[];
}

/**
 * Tells of all files in a folder and below. Links to folders are not followed: what is in the folder is met anyway, and
 * nothing outside is looked into. A link to a file counts as the file.
 * @param onFile called for each, one folder's at a time; what it returns is awaited
 * @throws InvokeError when the folder itself cannot be read
 */
export async function walkFolder(
  folder: string,
  onFile: (file: FoundFile) => Promise<void> | undefined,
  signal?: AbortSignal,
): Promise<WalkFigures> {
  const figures: WalkFigures = { folders: 0, files: 0, links: 0, vanished: 0, unreadable: 0, problems: [] };
  const root = await fs.promises.realpath(folder).catch((error: unknown) => {
    throw new InvokeError(`cannot read the shared-state folder ${folder}: ${reasonOf(error)}`, error);
  });
  const left: { readonly path: string; readonly depth: number }[] = [{ path: root, depth: 0 }];

  async function readFolder({ path: here, depth }: (typeof left)[number]): Promise<void> {
    try {
      for await (const entry of await entriesOf(here, depth)) {
        signal?.throwIfAborted();
        if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(path.join(here, entry.name))))) {
          figures.files++;
          const waits = onFile({ name: entry.name, folder: here });
          if (waits) await waits;
        } else if (entry.isDirectory()) {
          const inside = path.join(here, entry.name);
          if (depth < MAX_DEPTH) left.push({ path: inside, depth: depth + 1 });
          else problem(inside, `deeper than ${MAX_DEPTH} folders`);
        }
      }
      figures.folders++;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isSystemError(error)) throw error;
      if (depth === 0)
        throw new InvokeError(`cannot read the shared-state folder ${folder}: ${reasonOf(error)}`, error);
      if (error.code === 'ENOENT') figures.vanished++;
      else problem(here, reasonOf(error));
    }
  }

  async function leadsToFile(link: string): Promise<boolean> {
    const target = await fs.promises.stat(link).catch(() => null);
    if (target?.isFile()) return true;
    figures.links++;
    return false;
  }

  function problem(where: string, why: string): void {
    figures.unreadable++;
    if (figures.problems.length < SHOWN_PROBLEMS) figures.problems.push(`${where}: ${why}`);
  }

  while (left.length > 0) await Promise.all(left.splice(-FOLDERS_AT_ONCE).map(readFolder));
  return figures;
}

/** A folder of the usual layout has few files and is read whole, in one step where the other way takes four. */
function entriesOf(folder: string, depth: number): Promise<AsyncIterable<fs.Dirent> | Iterable<fs.Dirent>> {
  if (depth >= FEW_FILES_DEPTH) return fs.promises.readdir(folder, { withFileTypes: true });
  return fs.promises.opendir(folder, { bufferSize: 256 });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
