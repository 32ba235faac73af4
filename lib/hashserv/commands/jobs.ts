import { jobCommands } from '../../jobs/commands.ts';
import { DB_ADMIN } from '../access/permissions.ts';
import type { HashContext, HashRow } from '../context.ts';

const ROWS = jobCommands<HashContext>(({ jobs, session, readOnly }) => ({
  jobs,
  caller: { user: session.username, address: session.peer.name, access: 'hashserv', readOnly },
}));

/** Jobs on hashes, for administrators. What writes is refused by the kind, so that a read-only server can be checked. */
export const JOB_COMMANDS: Readonly<Record<string, HashRow>> = Object.fromEntries(
  Object.entries(ROWS).map(([name, row]) => [name, { ...row, needs: [DB_ADMIN] }]),
);
