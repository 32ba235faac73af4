import path from 'node:path';
import { isPostgresAddress } from '../../settings/database-address.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { CONNECTION_FLAGS } from '../client/connect.ts';
import { type JobParameters, refuseWith } from '../jobs/background.ts';
import { inServer } from '../jobs/in-server.ts';
import { isServer } from './ends.ts';

const OF_SERVERS = ['from-user', 'from-token', 'to-user', 'to-token', ...CONNECTION_FLAGS.map(({ name }) => name)];

/**
 * Has a running server copy one database into another, and prints the number of the job.
 * @throws UsageError for what it cannot do
 */
export function copyInServer(from: string, to: string, args: Args): Promise<number> {
  const without = 'without --background this command has it, and goes on where it was when it is started again';
  if (isServer(from))
    throw new UsageError(
      `copy --background: FROM is a running server, whose token a job would keep: bakeserv pull --background takes what it has into a server that runs here; ${without}`,
    );
  if (isServer(to))
    throw new UsageError(
      `copy --background: TO is a running server: on its machine bakeserv pull --background takes ${from}; ${without}`,
    );
  refuseWith('copy', args, ['in-use', ...OF_SERVERS]);
  const parameters: { [name: string]: JobParameters[string] } = { from: nameOf(from), to: nameOf(to) };
  for (const name of ['hashes', 'prs', 'users', 'skip-unstorable', 'dry-run'])
    if (args.has(name)) parameters[name.replace('-', '_')] = true;
  return inServer(args, 'copy', parameters);
}

/** As a server is told, which has another working folder. */
const nameOf = (word: string) => (isPostgresAddress(word) ? word : path.resolve(word));
