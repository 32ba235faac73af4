import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import type { AutoPlace } from './place.ts';

/** Below the range for outgoing connections on Linux (32768 and up), where another program could take the port between two servers. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const CANDIDATES = 32;

/**
 * A port for the PR service of a build folder: the one it had before, so that a shell that knows the address can use the
 * next server. If that is taken, or there was none, a free one derived from the folder's name.
 * @returns 0 when none of those tried is free: the system chooses
 */
export async function choosePort(place: AutoPlace): Promise<number> {
  const digest = createHash('sha256').update(place.folder).digest();
  const kept = keptPort(place);
  const candidates = Array.from({ length: CANDIDATES }, (_, i) => FIRST_PORT + ((digest.readUInt32BE(0) + i) % PORTS));
  for (const port of kept === null ? candidates : [kept, ...candidates]) if (await isFree(port)) return port;
  return 0;
}

/** Makes the next server of this folder listen on the same port. */
export function keepPort(place: AutoPlace, port: number): void {
  if (keptPort(place) !== port) fs.writeFileSync(place.port, `${port}\n`, { mode: 0o600 });
}

function keptPort(place: AutoPlace): number | null {
  try {
    const port = /^(\d{1,5})\n$/.exec(fs.readFileSync(place.port, 'utf8'))?.[1];
    return port !== undefined && Number(port) > 0 && Number(port) < 65_536 ? Number(port) : null;
  } catch {
    return null;
  }
}

/** The first free port of this machine from that one on; that one where none near it is. */
export async function freePort(from: number): Promise<number> {
  for (let port = from; port < from + CANDIDATES; port++) if (await isFree(port)) return port;
  return from;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
