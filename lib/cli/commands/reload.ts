import path from 'node:path';
import { BakeservError } from '../../errors.ts';
import type { TakenOver } from '../../server.ts';
import { UsageError } from '../args/usage-error.ts';
import { autoPlace } from '../auto/place.ts';
import { askReload, askStatus } from '../process/control-client.ts';
import { type FoundServer, runningServers } from '../process/control-folder.ts';
import type { ServerCall } from './call.ts';

/** `bakeserv reload`: a running server reads its settings again, and reports what came of it. */
export async function run(call: ServerCall): Promise<number> {
  const { status, control } = await findServer(call);
  const result = await askReload(control);
  if (!result)
    throw new BakeservError('address-error', `server ${status.pid} did not answer: it is stopping, or older than this`);
  const { taken, later, faults } = result;
  for (const fault of faults) process.stderr.write(`bakeserv: server ${status.pid}: ${fault}\n`);
  if (call.args.has('json')) process.stdout.write(`${JSON.stringify({ pid: status.pid, taken, later, faults })}\n`);
  else process.stdout.write(describe(result));
  return faults.length > 0 ? 1 : 0;
}

function describe({ taken, later, faults }: TakenOver): string {
  const lines = [
    ...taken.map((each) => `taken over: ${each}\n`),
    ...later.map((each) => `waits for a restart: ${each}\n`),
  ];
  return lines.length === 0 && faults.length === 0 ? 'nothing has changed\n' : lines.join('');
}

/** The server that is meant: the one named, otherwise the only one. */
async function findServer({ args }: ServerCall): Promise<Pick<FoundServer, 'status' | 'control'>> {
  const [pid, dir, socket] = ['PID', 'dir', 'socket'].map((name) => args.text(name));
  if ([pid, dir, socket].filter((each) => each !== undefined).length > 1)
    throw new UsageError('reload: name the server once: by PID, --dir or --socket');
  if (dir !== undefined) return at(autoPlace(path.resolve(dir), undefined).control, `for ${path.resolve(dir)}`);
  if (socket !== undefined) return at(socket, `on ${socket}`);
  const found = await runningServers(process.env);
  const meant = pid === undefined ? found : found.filter(({ status }) => String(status.pid) === pid);
  const own = meant.filter(({ isOwn }) => isOwn);
  if (own.length === 1) return own[0]!;
  if (own.length > 1)
    throw new UsageError(`reload: several servers run here, name one by its PID: ${own.map(named).join('; ')}`);
  const [other] = meant;
  if (other)
    throw new BakeservError(
      'address-error',
      `server ${named(other)} belongs to another user, who alone can have it read its settings: for a service, use systemctl reload`,
    );
  throw new BakeservError(
    'address-error',
    pid === undefined ? 'no server of this user is running' : `no server ${pid} of this user is running`,
  );
}

async function at(control: string, where: string): Promise<Pick<FoundServer, 'status' | 'control'>> {
  const status = await askStatus(control);
  if (status) return { status, control };
  throw new BakeservError('address-error', `no server runs ${where}`);
}

const named = ({ status }: FoundServer) => `${status.pid} (${status.addresses.join(', ')})`;
