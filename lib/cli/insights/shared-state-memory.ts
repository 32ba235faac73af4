import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { readMirrorAddress, shownAddress } from '../../insights/shared-state/mirror.ts';
import type { Place } from '../../insights/shared-state/run.ts';

/**
 * Where it is remembered what was found: a file for each server and place, unless one is named; null for `none`.
 * @param file as given with `--cache`
 * @param address of the hash server
 */
export function memoryOf(
  file: string | undefined,
  address: string,
  place: Place,
  environment: NodeJS.ProcessEnv = process.env,
): { readonly file: string; readonly about: string } | null {
  if (file === 'none') return null;
  const at = place.kind === 'folder' ? path.resolve(place.folder) : shownAddress(readMirrorAddress(place.address));
  // A relative path is another server in another folder.
  const server = /^unix:\/\/[^/]/.test(address) ? `unix://${path.resolve(address.slice('unix://'.length))}` : address;
  const about = `${at} of ${server}`;
  if (file !== undefined) return { file, about };
  const base = environment.XDG_CACHE_HOME;
  const folder = base && path.isAbsolute(base) ? base : path.join(os.homedir(), '.cache');
  const name = createHash('sha256').update(about).digest('hex').slice(0, 32);
  return { file: path.join(folder, 'bakeserv', `shared-state-${name}`), about };
}
