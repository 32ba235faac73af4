import path from 'node:path';
import { isUnknownCommand } from '../../asyncrpc/client/channel.ts';
import { formatAddress, parseAddress } from '../../asyncrpc/transport/address.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { AddressError, InvokeError } from '../../errors.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import type { Out } from '../client/out.ts';

export type JobParameters = { readonly [name: string]: Json };

/**
 * Starts a job with the rights of a client, in place of what the command would do itself.
 * @throws InvokeError when it is refused, or the server has no jobs
 */
export async function startAsClient(
  client: { invoke(command: string, args: Json): Promise<Json> },
  out: Out,
  kind: string,
  parameters: JobParameters,
): Promise<undefined> {
  try {
    await tell(out, await client.invoke('job-start', { kind, parameters }));
  } catch (error) {
    if (!isUnknownCommand(error)) throw error;
    throw new InvokeError(
      "--background: this server runs no jobs: it is BitBake's, or an older bakeserv; without --background the command waits for it",
      error,
    );
  }
}

/**
 * Starts a job on files of this machine, as the owner of the server that listens on an address.
 * @throws AddressError when none of this user does; InvokeError when the job is refused
 */
export async function startAsOwner(
  address: string,
  out: Out,
  kind: string,
  parameters: JobParameters,
): Promise<undefined> {
  const { control } = await ownServer(address);
  return startOn(control, out, kind, parameters);
}

/** Starts a job on the server of a control socket. */
export async function startOn(control: string, out: Out, kind: string, parameters: JobParameters): Promise<undefined> {
  const { askJobs } = await import('../process/control-client.ts');
  await tell(out, await askJobs(control, 'job-start', { kind, parameters }));
}

async function ownServer(text: string) {
  const parsed = parseAddress(text);
  const address = parsed.kind === 'unix' ? { ...parsed, path: path.resolve(parsed.path) } : parsed;
  const { findServerAt } = await import('../publish/own-server.ts');
  const found = await findServerAt(formatAddress(address));
  if (found) return found;
  throw new AddressError(
    `--background: the server itself reads and writes the file then, so that only the user it runs as may ask for that, on its machine; no server of this user listens on ${text}. Without --background this program has the file`,
  );
}

async function tell(out: Out, started: Json): Promise<void> {
  const { id, joined } = started as { id: number; joined: boolean };
  await out.result({ id, joined }, () => `job ${id}${joined ? ' (it waited already)' : ''}`);
}

/** The one file of the server's machine that a command names. @throws UsageError */
export function fileFor(command: string, files: readonly (string | undefined)[]): string {
  const [file, ...more] = files;
  if (file === undefined || file === '-' || more.length > 0)
    throw new UsageError(`${command} --background: name one file; the server has no standard input and output`);
  return path.resolve(file);
}

/** @throws UsageError for options that a job does not have */
export function refuseWith(command: string, args: Args, names: readonly string[]): void {
  for (const name of names)
    if (args.has(name))
      throw new UsageError(`${command} --background: the job has no --${name}; leave one of them out`);
}
