import { jobCommands } from '../../jobs/commands.ts';
import type { PrCommandRow, PrContext } from '../context.ts';
import { DB_ADMIN } from '../permissions.ts';

const ROWS = jobCommands<PrContext>(({ jobs, peer, login, readOnly }) => ({
  jobs,
  caller: { user: login?.username ?? null, address: peer.name, access: 'prserv', readOnly },
}));

/** Jobs on PR values, for whoever may remove them. */
export const PR_JOB_COMMANDS: Readonly<Record<string, PrCommandRow>> = Object.fromEntries(
  Object.entries(ROWS).map(([name, row]) => [name, { ...row, needs: [DB_ADMIN], users: [DB_ADMIN] }]),
);
