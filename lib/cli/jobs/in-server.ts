import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { createOut } from '../client/out.ts';
import { findServer } from '../commands/find-server.ts';
import { type JobParameters, startOn } from './background.ts';

/** @throws UsageError for a server that is named, and not asked */
export function refuseServer(command: string, args: Args): void {
  for (const name of ['pid', 'dir', 'socket'])
    if (args.has(name)) throw new UsageError(`${command}: --${name} is of no use without --background`);
}

/** Has a running server of this user do it as a job, and prints its ID. */
export async function inServer(args: Args, kind: string, parameters: JobParameters): Promise<number> {
  const { control } = await findServer(args, {
    command: `${kind} --background`,
    otherwise: 'who alone can have it work on files: run the command as that user, or without --background',
  });
  await startOn(control, createOut(args.has('json')), kind, parameters);
  return 0;
}
