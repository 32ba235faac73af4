import { createDispatcher } from '../asyncrpc/dispatch.ts';
import type { Session } from '../asyncrpc/service.ts';
import { createValidator } from '../asyncrpc/wire/formats.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import { type JobAsk, jobCommands } from './commands.ts';
import type { JobRequests } from './jobs.ts';

/** Runs a command about jobs for the user that the server runs as, who may start and see all of them. */
export type AskAsOwner = (command: string, args: Json) => Promise<Json>;

/** @param user finds the name that jobs are recorded under */
export function askAsOwner(jobs: JobRequests, user: () => string, readOnly: boolean): AskAsOwner {
  /** Made for the first request: most servers never get one. */
  let session: Session | null = null;
  return async (name, args) => {
    session ??= openSession({
      jobs,
      caller: { user: user(), address: 'control socket', access: 'owner', readOnly },
    });
    const command = session.command(name);
    if (!command) throw new InvokeError(`there is no command ${JSON.stringify(name.slice(0, 64))} here`);
    const [outcome] = await session.invoke(command, [args]);
    if (outcome instanceof Error) throw outcome;
    return outcome as Json;
  };
}

/** The commands as a service has them, without rights: who gets here has them all. */
function openSession(ask: JobAsk): Session {
  const rows = Object.entries(jobCommands<JobAsk>((each) => each)).map(([name, row]) => [name, { ...row, needs: [] }]);
  const open = createDispatcher<JobAsk>({
    rows: Object.fromEntries(rows),
    access: 'read-write',
    validator: createValidator(),
  });
  return open(ask, { awaitsLogin: false, isStale: false, close() {} });
}
