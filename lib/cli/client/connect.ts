import { AddressError } from '../../errors.ts';
import type { Option } from '../../settings/options.ts';
import type { Args } from '../args/args.ts';

/** The advice in a connection error; here an option can name another server too. */
const ADVICE = 'start a server with "bakeserv serve"';

/**
 * A connection error with advice that fits the program.
 * @param flag the option that names another server
 */
export function withAdvice(error: unknown, flag: string): unknown {
  if (!(error instanceof AddressError)) return error;
  const message = error.message.replace(ADVICE, `start one with "bakeserv serve" or name it with ${flag}`);
  return new AddressError(message, error.cause);
}

/** Connection options of both programs. */
export const CONNECTION_FLAGS: readonly Option[] = [
  {
    name: 'ca',
    type: 'string',
    values: ['FILE'],
    completes: 'file',
    describe: 'PEM file of certificate authorities to trust for tls:// and wss://, in addition to those of the system',
  },
  {
    name: 'tls-cert',
    type: 'string',
    values: ['FILE'],
    completes: 'file',
    describe: 'PEM file of the certificate to show a tls:// or wss:// server that asks for one',
  },
  {
    name: 'tls-key',
    type: 'string',
    values: ['FILE'],
    completes: 'file',
    describe: 'PEM file of the key of that certificate; refused if others may read or write the file',
  },
  {
    name: 'timeout',
    values: ['SECONDS'],
    type: 'number',
    default: 'none',
    describe: 'Give up when the server cannot be reached, or does not answer, for this long',
  },
];

/** Their values, for the client library. */
export function connectionOptions(globals: Args) {
  return {
    caFile: globals.text('ca') ?? null,
    certFile: globals.text('tls-cert') ?? null,
    keyFile: globals.text('tls-key') ?? null,
    answerTimeoutMs: globals.number('timeout', 0) * 1000,
  };
}
