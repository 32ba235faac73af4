import fs from 'node:fs';
import path from 'node:path';
import { formatAddress, parseAddress } from '../../asyncrpc/transport/address.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { AddressError, InvokeError } from '../../errors.ts';
import { isPostgresAddress } from '../../settings/database-address.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { createOut, type Out } from '../client/out.ts';
import type { ServerCall } from '../commands/call.ts';
import { findServer } from '../commands/find-server.ts';
import type { FoundServer } from '../process/control-folder.ts';
import { type Job, startJob, waitForJob } from './job.ts';
import { waitOrLeave } from './leave.ts';
import { findServerAt } from './own-server.ts';
import { describePull, hasNothing, type PullResult } from './text.ts';

/** `bakeserv pull SOURCE`: a running server takes what another has. */
export async function run({ args }: ServerCall): Promise<number> {
  const parameters = parametersOf(args);
  const { control } = await findTarget(args, 'pull');
  const out = createOut(args.has('json'));
  const id = await startJob(control, 'pull', parameters);
  if (args.has('background')) {
    await out.result({ id }, () => `job ${id}`);
    return 0;
  }
  const { state, error, result } = await waitForPull(control, id, out.json);
  const told = result as unknown as PullResult | null;
  await out.result({ id, state, error, ...(told as { [key: string]: Json } | null) }, () =>
    told ? describePull(told) : [],
  );
  if (state === 'done' && told && !out.json && hasNothing(told)) tellChoice(args, out);
  if (state !== 'done') throw new InvokeError(error ?? `job ${id} was ${state}`);
  return told?.dry_run && told.on_conflict === 'fail' && (told.prs?.conflicts ?? 0) > 0 ? 1 : 0;
}

/** A pattern with a mistake in it is no error: nothing matches it. */
function tellChoice(args: Args, out: Out): void {
  const choice = ['packages', 'pkgarch', 'methods'].filter((name) => args.has(name)).map((name) => `--${name}`);
  if (choice.length === 0) return;
  const patterns = 'in patterns * stands for any characters, ? for one, all else for itself';
  out.note(`nothing new in the source is of that choice (${choice.join(', ')}): ${patterns}`);
}

/**
 * Has a server pull, and waits for the end of the job.
 * @throws InvokeError when it is refused
 */
export async function runPull(control: string, parameters: Json, json = false): Promise<Job> {
  return waitForPull(control, await startJob(control, 'pull', parameters), json);
}

/** Waits for a job that takes rows; Ctrl-C ends the waiting alone. */
export function waitForPull(control: string, id: number, json = false): Promise<Job> {
  return waitOrLeave(id, { options: ['--socket', control], json }, () => waitForJob(control, id, 'rows'));
}

/** A pull opens files and dials as the server that it is done by: no other user may have it do that. */
export async function findTarget(args: Args, command: string): Promise<Pick<FoundServer, 'control'>> {
  const named = args.text('address');
  if (named === undefined)
    return findServer(args, { command, otherwise: 'who alone can have it pull: run the command as that user' });
  return ownServerAt(formatAddress(absolute(parseAddress(named))));
}

/**
 * The server of this user with that address.
 * @throws AddressError when there is none
 */
export async function ownServerAt(address: string): Promise<FoundServer> {
  const found = await findServerAt(address);
  if (found) return found;
  throw new AddressError(
    `no server of this user answers on ${address}: a pull is started on the machine of the server that gets the rows, by the user it runs as; into other servers goes "bakeserv copy"`,
  );
}

function absolute(address: ReturnType<typeof parseAddress>) {
  return address.kind === 'unix' ? { ...address, path: path.resolve(address.path) } : address;
}

/** As the server is told: it has another working folder. */
export function parametersOf(
  args: Args,
  texts: readonly string[] = ['packages', 'pkgarch', 'since', 'on-conflict', 'user'],
): { [name: string]: Json } {
  const parameters: { [name: string]: Json } = { source: sourceOf(args.need('SOURCE')) };
  for (const name of ['hashes', 'prs', 'dry-run']) if (args.has(name)) parameters[name.replace('-', '_')] = true;
  for (const name of texts) {
    const value = args.text(name);
    if (value !== undefined) parameters[name.replace('-', '_')] = value;
  }
  for (const name of ['token-file', 'ca', 'tls-cert', 'tls-key']) {
    const file = args.text(name);
    if (file !== undefined) parameters[name.replace('-', '_')] = path.resolve(file);
  }
  const methods = args.list('methods').flatMap((list) => list.split(',').filter((each) => each !== ''));
  if (methods.length > 0) parameters.methods = methods;
  return parameters;
}

/** A file with its whole path, otherwise an address. */
function sourceOf(given: string): string {
  if (isPostgresAddress(given)) return given;
  if (fs.existsSync(given)) return path.resolve(given);
  try {
    return formatAddress(absolute(parseAddress(given)));
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new UsageError(`SOURCE: there is no file ${given}, and it is no address: ${error.message}`);
  }
}
