import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly plain: Body;
  /** The same compressed, where the build has made that. */
  readonly gzip: Body | null;
  /** Its name changes with what is in it, so that browsers may keep it for good. */
  readonly isHashed: boolean;
}

export interface Body {
  readonly bytes: Buffer;
  /** What tells it from all others, as in the header ETag. */
  readonly tag: string;
}

/** By their paths, without the slash in front. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** As Vite names what it makes. */
const HASHED = /^assets\/.+-[\w-]{8,}\.\w+$/;
/** How far this module may be below the root of the package: in its sources, in dist/lib, in dist/bin, in compiled tests. */
const LEVELS = ['../..', '../../..', '../../../..'];

/** Where the page of this package is built. */
async function builtPage(): Promise<string | null> {
  for (const up of LEVELS) {
    const root = path.join(import.meta.dirname, up);
    const text = await fs.readFile(path.join(root, 'package.json'), 'utf8').catch(() => null);
    if (text !== null && JSON.parse(text).name === 'bakeserv') return path.join(root, 'dist/web');
  }
  return null;
}

/**
 * Reads the page; null where it was not built.
 * @param built the folder; by default that of this package
 */
export async function readPage(built: string | null = null): Promise<PageFiles | null> {
  const folder = built ?? (await builtPage());
  const names = folder === null ? null : await fs.readdir(folder, { recursive: true }).catch(() => null);
  if (!names?.includes('index.html')) return null;
  const known = names.filter((name) => Object.hasOwn(TYPES, path.extname(name)));
  const read = async (name: string) => [name, await readFile(folder!, name, names.includes(`${name}.gz`))] as const;
  return new Map(await Promise.all(known.map(read)));
}

async function readFile(folder: string, name: string, isCompressed: boolean): Promise<PageFile> {
  const body = async (file: string): Promise<Body> => {
    const bytes = await fs.readFile(path.join(folder, file));
    return { bytes, tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
  };
  return {
    type: TYPES[path.extname(name)]!,
    plain: await body(name),
    gzip: isCompressed ? await body(`${name}.gz`) : null,
    isHashed: HASHED.test(name),
  };
}
