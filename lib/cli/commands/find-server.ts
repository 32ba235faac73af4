import path from 'node:path';
import { BakeservError } from '../../errors.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { autoPlace } from '../auto/place.ts';
import { askStatus } from '../process/control-client.ts';
import { type FoundServer, runningServers } from '../process/control-folder.ts';

/** What a command wants of a server. */
export interface Wanted {
  /** The command, for messages. */
  readonly command: string;
  /** It takes the PID as an argument; others have `--pid`. */
  readonly isPidArgument?: true;
  /** What to do about a server of another user. */
  readonly otherwise: string;
}

/**
 * The server that is meant: the one named by PID (an argument or `--pid`), `--dir` or `--socket`, otherwise the only one of this user.
 * @throws UsageError, BakeservError when there is none, or several
 */
export async function findServer(args: Args, want: Wanted): Promise<Pick<FoundServer, 'status' | 'control'>> {
  const pid = args.text('PID') ?? args.text('pid');
  const [dir, socket] = [args.text('dir'), args.text('socket')];
  if ([pid, dir, socket].filter((each) => each !== undefined).length > 1)
    throw new UsageError(`${want.command}: name the server once: by PID, --dir or --socket`);
  if (dir !== undefined) return at(autoPlace(path.resolve(dir), undefined).control, `for ${path.resolve(dir)}`);
  if (socket !== undefined) return at(socket, `on ${socket}`);
  const found = await runningServers(process.env);
  const meant = pid === undefined ? found : found.filter(({ status }) => String(status.pid) === pid);
  const own = meant.filter(({ isOwn }) => isOwn);
  if (own.length === 1) return own[0]!;
  if (own.length > 1)
    throw new UsageError(
      `${want.command}: several servers run here, name one by its PID${want.isPidArgument ? '' : ' (--pid)'}: ${own.map(named).join('; ')}`,
    );
  const [other] = meant;
  if (other)
    throw new BakeservError('address-error', `server ${named(other)} belongs to another user, ${want.otherwise}`);
  throw new BakeservError(
    'address-error',
    pid === undefined
      ? 'no server of this user is running: start one with "bakeserv serve", or ask as the user that it runs as'
      : `no server ${pid} of this user is running: "bakeserv status" shows those that are`,
  );
}

async function at(control: string, where: string): Promise<Pick<FoundServer, 'status' | 'control'>> {
  const status = await askStatus(control);
  if (status) return { status, control };
  throw new BakeservError('address-error', `no server runs ${where}`);
}

const named = ({ status }: FoundServer) => `${status.pid} (${status.addresses.join(', ')})`;
