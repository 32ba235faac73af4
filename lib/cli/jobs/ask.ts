import { parseAddress } from '../../asyncrpc/transport/address.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { UsageError } from '../args/usage-error.ts';
import { loginOf } from '../client/login.ts';
import type { ServerCall } from '../commands/call.ts';
import { findServer } from '../commands/find-server.ts';
import { askJobs } from '../process/control-client.ts';

/** A server to ask about jobs. */
export interface JobServer {
  ask(command: string, args: Json): Promise<Json>;
  /** It runs on this machine, in whose folders names are looked up. */
  readonly isHere: boolean;
  close(): void;
}

/** @throws UsageError, AddressError when nobody answers */
export async function connectJobServer({ args }: ServerCall): Promise<JobServer> {
  const text = args.text('address');
  if (text !== undefined) {
    if (['pid', 'dir', 'socket'].some((name) => args.has(name)))
      throw new UsageError('jobs: --address names a server by itself: leave out --pid, --dir and --socket');
    return connect(text, args);
  }
  for (const name of ['login', 'password', 'ca'])
    if (args.has(name)) throw new UsageError(`jobs: --${name} is of no use without --address`);
  const { control } = await findServer(args, {
    command: 'jobs',
    otherwise: 'who alone can ask for its jobs here: ask it as its clients do, with --address',
  });
  return { ask: (command, given) => askJobs(control, command, given), isHere: true, close() {} };
}

async function connect(text: string, args: ServerCall['args']): Promise<JobServer> {
  const address = parseAddress(text);
  const options = { login: await loginOf(args, text, false), caFile: args.text('ca') ?? null };
  const client =
    args.text('service') === 'prserv'
      ? await (await import('../../prserv/client.ts')).connectPrClient(address, options)
      : await (await import('../../hashserv/client.ts')).connectHashClient(address, options);
  return {
    ask: (command, given) => client.invoke(command, given),
    isHere: false,
    close: () => client.close(),
  };
}
