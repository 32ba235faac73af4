import { DEFAULT_LIMITS, type Limits } from '../asyncrpc/limits.ts';

/** How an option's text is read: `strings` may be given several times, `seconds` may have decimals, `bytes` a unit. */
export type OptionType = 'string' | 'strings' | 'boolean' | 'integer' | 'number' | 'seconds' | 'seconds-or-0' | 'bytes';

/** One option of a command of bakeserv: the command line, the environment, the documentation are all read from this row. */
export interface Option {
  readonly name: string;
  readonly type: OptionType;
  /** What is done without it, in words where the value depends on something. */
  readonly default?: string | number | boolean | readonly string[] | undefined;
  readonly describe: string;
  readonly group?: string;
  readonly choices?: readonly string[];
  /** A limit: the field of Limits it sets. */
  readonly limit?: keyof Limits;
  /** Masked wherever settings are shown; `NAME-file` names a file that holds it. */
  readonly secret?: true;
  /** What a text must look like, and that in words; more than its type says. */
  readonly pattern?: string;
  readonly expected?: string;
  /** One letter. */
  readonly alias?: string;
  /** Also an environment variable and a key of the configuration file. */
  readonly setting?: true;
  /** Names of its values, for help; without them one called VALUE. */
  readonly values?: readonly string[];
  readonly required?: true;
  /** What a shell offers to complete its value. */
  readonly completes?: 'file' | 'folder';
  /** Works, and is shown nowhere. */
  readonly hidden?: true;
}

const limit = (name: string, type: 'integer' | 'seconds' | 'bytes', field: keyof Limits, describe: string): Option => ({
  name,
  type,
  default: type === 'seconds' ? DEFAULT_LIMITS[field] / 1000 : DEFAULT_LIMITS[field],
  describe,
  group: 'Limits',
  limit: field,
  setting: true,
});

/** The options of `bakeserv serve` that set limits. */
export const LIMIT_OPTIONS: readonly Option[] = [
  limit('max-line', 'bytes', 'maxLineBytes', 'Longest line from a client'),
  limit('max-message', 'bytes', 'maxMessageBytes', 'Longest message, its chunks together'),
  limit(
    'max-message-before-login',
    'bytes',
    'maxMessageBeforeLoginBytes',
    'Longest message while a login is required and was not made',
  ),
  limit(
    'max-partial',
    'bytes',
    'maxPartialBytes',
    'Long messages that are being put together, of all clients: so many of the longest at once, half of them from one address; further ones wait unread',
  ),
  limit(
    'max-held',
    'bytes',
    'maxHeldBytes',
    'What is held for all clients above 128 KiB each, from its arrival to the last byte of its answer; past it those that hold much wait unread',
  ),
  limit('max-json-depth', 'integer', 'maxJsonDepth', 'Nesting of a message'),
  limit('max-json-keys', 'integer', 'maxJsonKeys', 'Object keys in a message'),
  limit('handshake-timeout', 'seconds', 'handshakeTimeoutMs', 'Time for protocol line and headers'),
  limit('max-headers', 'integer', 'maxHeaders', 'Header lines'),
  limit('max-header-bytes', 'bytes', 'maxHeaderBytes', 'Header lines together'),
  limit('message-timeout', 'seconds', 'messageTimeoutMs', 'Time from the first byte of a message to its last'),
  limit(
    'max-connections',
    'integer',
    'maxConnections',
    'Clients at once; never more than the open-files limit less 128',
  ),
  limit(
    'max-connections-per-address',
    'integer',
    'maxConnectionsPerAddress',
    'Clients at once from one network address (an IPv6 /64); by default half of those at once',
  ),
  limit(
    'max-handshakes',
    'integer',
    'maxHandshakes',
    'Clients whose handshake lasts a second or more; past it the oldest are closed',
  ),
  limit('max-handshakes-per-address', 'integer', 'maxHandshakesPerAddress', 'Of those, from one network address'),
  limit('max-in-flight', 'integer', 'maxInFlight', 'Stream lines, or requests of one kind, in flight on a connection'),
  limit(
    'max-in-flight-bytes',
    'bytes',
    'maxInFlightBytes',
    'Bytes in flight on a connection before it is no longer read',
  ),
  limit('output-pause', 'bytes', 'outputPauseBytes', 'Unsent output at which a connection is no longer read'),
  limit('output-limit', 'bytes', 'outputLimitBytes', 'Unsent output at which a connection is closed'),
  limit('output-timeout', 'seconds', 'outputTimeoutMs', 'A client that reads nothing for this long is closed'),
  limit('keep-alive', 'seconds', 'keepAliveMs', 'Idle time before the first TCP keep-alive probe'),
  limit(
    'websocket-ping',
    'seconds',
    'websocketPingMs',
    'Time between pings on WebSocket connections; two in a row without an answer close one',
  ),
  limit('login-failure-delay', 'seconds', 'loginFailureDelayMs', 'A failed login is answered after this long'),
  limit(
    'max-login-failures',
    'integer',
    'maxLoginFailures',
    'Failures within a minute, of one user from one address, after which such logins are looked at in turn',
  ),
  limit('login-caution', 'seconds', 'loginCautionMs', 'For how long they are'),
  limit('max-cautious-logins', 'integer', 'maxCautiousLogins', 'How many of them are looked at in a second'),
  limit('drain-timeout', 'seconds', 'drainTimeoutMs', 'Time for clients to be finished with when the server stops'),
];

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `BAKESERV_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** A number of bytes in the largest unit that divides it. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/**
 * What is taken without the option, for its reader: sizes in their unit, times with theirs; empty where it has none.
 * @param each how one value is set, as in quotes
 */
export function defaultText({ default: value, type }: Option, each = (text: string) => text): string {
  if (value === undefined) return '';
  const texts = [value].flat().map((one) => each(type === 'bytes' ? sizeText(Number(one)) : String(one)));
  return texts.join(' and ') + (type.startsWith('seconds') ? ' s' : '');
}
