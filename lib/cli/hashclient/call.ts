import type { HashClient } from '../../hashserv/client-types.ts';
import type { Args } from '../args/args.ts';
import { connectionOptions, withAdvice } from '../client/connect.ts';
import { loginOf } from '../client/login.ts';
import { createOut, type Out } from '../client/out.ts';

export const DEFAULT_ADDRESS = 'unix://./hashserve.sock';

/** What a subcommand of bakeserv-hashclient works with. */
export interface HashCall {
  readonly args: Args;
  readonly out: Out;
  /** The address of `--address`. */
  readonly address: string;
  /** The server of `--address`, logged in; connected on the first call. */
  client(): Promise<HashClient>;
  /** One more connection to it. */
  another(): Promise<HashClient>;
  /** Another connection, with the same login or the one netrc has for the address. */
  connect(address: string): Promise<HashClient>;
  close(): void;
}

export function openHashCall(globals: Args, args: Args): HashCall {
  const out = createOut(globals.has('json'));
  const open: HashClient[] = [];
  const address = globals.text('address') ?? DEFAULT_ADDRESS;
  const talkative = ['DEBUG', 'INFO'].includes(globals.text('log')?.toUpperCase() ?? '');
  let first: Promise<HashClient> | null = null;

  async function connect(text: string): Promise<HashClient> {
    const [{ parseAddress }, { connectHashClient }] = await Promise.all([
      import('../../asyncrpc/transport/address.ts'),
      import('../../hashserv/client.ts'),
    ]);
    const parsed = parseAddress(text);
    const login = await loginOf(globals, text, true);
    try {
      const client = await connectHashClient(parsed, {
        login,
        become: globals.text('become'),
        ...connectionOptions(globals),
      });
      open.push(client);
      if (talkative) out.note(`connected to ${text}${login ? ` as ${login.username}` : ''}`);
      return client;
    } catch (error) {
      throw withAdvice(error, '--address');
    }
  }

  return {
    args,
    out,
    address,
    connect,
    client() {
      first ??= connect(address);
      return first;
    },
    another: () => connect(address),
    close() {
      for (const client of open) client.close();
    },
  };
}
