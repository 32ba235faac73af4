import { AddressError } from '../../errors.ts';
import type { Option } from '../../settings/options.ts';
import type { Args } from '../args/args.ts';

/** What dialing advises; here an option names another server too. */
const ADVICE = 'start a server with "bakeserv serve"';

/**
 * An error of connecting with advice that fits the program.
 * @param flag the option that names another server
 */
export function withAdvice(error: unknown, flag: string): unknown {
  if (!(error instanceof AddressError)) return error;
  const message = error.message.replace(ADVICE, `start one with "bakeserv serve" or name it with ${flag}`);
  return new AddressError(message, error.cause);
}

/** Options of both programs about the connection. */
export const CONNECTION_FLAGS: readonly Option[] = [
  {
    name: 'ca',
    type: 'string',
    values: ['FILE'],
    completes: 'file',
    describe: 'PEM file of certificate authorities to trust for wss://, besides those of the system',
  },
  {
    name: 'timeout',
    values: ['SECONDS'],
    type: 'number',
    default: 'none',
    describe: 'Give up a server that does not answer, or cannot be connected to, for so long',
  },
];

/** What they say, for the client library. */
export function connectionOptions(globals: Args) {
  return { caFile: globals.text('ca') ?? null, answerTimeoutMs: globals.number('timeout', 0) * 1000 };
}
