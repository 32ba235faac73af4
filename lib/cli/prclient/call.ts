import type { PrClient } from '../../prserv/client.ts';
import type { Args } from '../args/args.ts';
import { connectionOptions, withAdvice } from '../client/connect.ts';
import { loginOf } from '../client/login.ts';
import { createOut, type Out } from '../client/out.ts';

export const DEFAULT_SERVER = '127.0.0.1:8585';

/** What a subcommand of bakeserv-prclient works with. */
export interface PrCall {
  readonly args: Args;
  readonly out: Out;
  /** The address of `--server`. */
  readonly address: string;
  /** The server of `--server`; connected on the first call. */
  client(): Promise<PrClient>;
  /** One more connection to it. */
  another(): Promise<PrClient>;
  close(): void;
}

export function openPrCall(globals: Args, args: Args): PrCall {
  const out = createOut(globals.has('json'));
  const text = globals.text('server') ?? (process.env.PRSERV_SERVER_ADDR || DEFAULT_SERVER);
  let first: Promise<PrClient> | null = null;
  const open: PrClient[] = [];

  async function connect(): Promise<PrClient> {
    const [{ parseAddress }, { connectPrClient }] = await Promise.all([
      import('../../asyncrpc/transport/address.ts'),
      import('../../prserv/client.ts'),
    ]);
    const address = parseAddress(text);
    // Only when asked for: a server that knows no login, as BitBake's, hangs up on one.
    const login = await loginOf(globals, text, false);
    try {
      const client = await connectPrClient(address, { login, ...connectionOptions(globals) });
      open.push(client);
      return client;
    } catch (error) {
      throw withAdvice(error, '--server');
    }
  }

  return {
    args,
    out,
    address: text,
    client() {
      first ??= connect();
      return first;
    },
    another: connect,
    close() {
      for (const client of open) client.close();
    },
  };
}
