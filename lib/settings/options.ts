import { DEFAULT_LIMITS, type Limits } from '../asyncrpc/limits.ts';
import { ConfigError } from '../errors.ts';

/** How an option's text is read: `strings` and `listeners` may be given several times, `seconds` may have decimals, `bytes` a unit. */
export type OptionType =
  | 'string'
  | 'strings'
  | 'listeners'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'seconds'
  | 'seconds-or-0'
  | 'bytes';

/** One option of a command. Command line, environment and documentation all come from this row. */
export interface Option {
  readonly name: string;
  readonly type: OptionType;
  /** The value without the option; a description where it depends on something. */
  readonly default?: string | number | boolean | readonly string[] | undefined;
  readonly describe: string;
  readonly group?: string;
  readonly choices?: readonly string[];
  /** A limit: the field of Limits it sets. */
  readonly limit?: keyof Limits;
  /** Masked wherever settings are shown; `NAME-file` names a file that holds it. */
  readonly secret?: true;
  /** What a text must match, beyond its type; and the same in words, for messages. */
  readonly pattern?: string;
  readonly expected?: string;
  /** A short form of one letter. */
  readonly alias?: string;
  /** A running server takes a new value over, on SIGHUP or `bakeserv reload`. */
  readonly reloads?: true;
  /** Also an environment variable and a key of the configuration file. */
  readonly setting?: true;
  /** Names of its values in help texts; by default one, called VALUE. */
  readonly values?: readonly string[];
  readonly required?: true;
  /** What shells complete its value with. */
  readonly completes?: 'file' | 'folder';
  /** Works, but is not shown in help or documentation. */
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
  limit('max-message', 'bytes', 'maxMessageBytes', 'Longest message, all its chunks together'),
  limit(
    'max-message-before-login',
    'bytes',
    'maxMessageBeforeLoginBytes',
    'Longest message from a client that must log in and has not yet',
  ),
  limit(
    'max-partial',
    'bytes',
    'maxPartialBytes',
    'Memory for long messages that are still arriving, over all clients; one address may use half of it. Clients that need more are not read until there is room',
  ),
  limit(
    'max-held',
    'bytes',
    'maxHeldBytes',
    'Memory for requests and answers, over all clients, above the 128 KiB that each may use. Beyond it, clients that use much are not read until there is room',
  ),
  limit('max-json-depth', 'integer', 'maxJsonDepth', 'Deepest nesting of a message'),
  limit('max-json-keys', 'integer', 'maxJsonKeys', 'Most object keys in a message'),
  limit(
    'handshake-timeout',
    'seconds',
    'handshakeTimeoutMs',
    'Time for a client to send the protocol line and the headers',
  ),
  limit('max-headers', 'integer', 'maxHeaders', 'Most header lines'),
  limit('max-header-bytes', 'bytes', 'maxHeaderBytes', 'Longest header lines, all together'),
  limit('message-timeout', 'seconds', 'messageTimeoutMs', 'Time from the first byte of a message to its last'),
  limit(
    'max-connections',
    'integer',
    'maxConnections',
    'Clients at once; never more than the open-files limit minus 128',
  ),
  limit(
    'max-connections-per-address',
    'integer',
    'maxConnectionsPerAddress',
    'Clients at once from one network address (an IPv6 /64); by default half of --max-connections',
  ),
  limit(
    'max-handshakes',
    'integer',
    'maxHandshakes',
    'Clients whose handshake has taken a second or more; beyond it the oldest are closed',
  ),
  limit('max-handshakes-per-address', 'integer', 'maxHandshakesPerAddress', 'The same, from one network address'),
  limit('max-in-flight', 'integer', 'maxInFlight', 'Stream lines, or requests of one kind, in flight on a connection'),
  limit(
    'max-in-flight-bytes',
    'bytes',
    'maxInFlightBytes',
    'Bytes in flight on a connection before it is no longer read',
  ),
  limit('output-pause', 'bytes', 'outputPauseBytes', 'Unsent output at which a connection is no longer read'),
  limit('output-limit', 'bytes', 'outputLimitBytes', 'Unsent output at which a connection is closed'),
  limit('output-timeout', 'seconds', 'outputTimeoutMs', 'A client that reads nothing for this long is disconnected'),
  limit(
    'max-http-connections',
    'integer',
    'maxHttpConnections',
    'HTTP connections at once, half of them from one network address; beyond it the ones that have been idle for longest are closed. WebSockets are not counted here',
  ),
  limit('max-http-header', 'bytes', 'maxHttpHeaderBytes', 'Longest headers of an HTTP request'),
  limit('max-http-body', 'bytes', 'maxHttpBodyBytes', 'Longest body of an HTTP request'),
  limit(
    'http-idle-timeout',
    'seconds',
    'httpIdleTimeoutMs',
    'An HTTP connection on which nothing is asked is closed after this long',
  ),
  limit('keep-alive', 'seconds', 'keepAliveMs', 'Idle time before the first TCP keep-alive probe'),
  limit(
    'websocket-ping',
    'seconds',
    'websocketPingMs',
    'Time between pings on WebSocket connections; a client that misses two in a row is disconnected',
  ),
  limit('login-failure-delay', 'seconds', 'loginFailureDelayMs', 'Delay before a failed login is answered'),
  limit(
    'max-login-failures',
    'integer',
    'maxLoginFailures',
    'Failed logins of one user from one address within a minute; beyond it, such logins are slowed down',
  ),
  limit('login-caution', 'seconds', 'loginCautionMs', 'How long they are slowed down'),
  limit('max-cautious-logins', 'integer', 'maxCautiousLogins', 'How many of the slowed logins are checked per second'),
  limit('drain-timeout', 'seconds', 'drainTimeoutMs', 'Time for clients to finish when the server stops'),
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
 * The default for readers: sizes and times with their unit; empty where there is none.
 * @param each formats one value, for example with quotes
 */
export function defaultText({ default: value, type }: Option, each = (text: string) => text): string {
  if (value === undefined) return '';
  const texts = [value].flat().map((one) => each(type === 'bytes' ? sizeText(Number(one)) : String(one)));
  return texts.join(' and ') + (type.startsWith('seconds') ? ' s' : '');
}

/** Each needs memory and connections to the databases: more of them than this help nobody. */
const MAX_WORKERS = 64;

/** How many processes serve. */
export const WORKERS: Omit<Option, 'group'> = {
  name: 'workers',
  type: 'integer',
  default: 1,
  describe:
    'Serve with so many processes behind the same listeners, up to 64; each has --cache-size for itself. See docs/operating.md',
};

/** How long one of them may be silent. */
export const WORKER_TIMEOUT: Omit<Option, 'group'> = {
  name: 'worker-timeout',
  type: 'seconds',
  default: 20,
  describe:
    'A process of --workers whose event loop does not turn for this long is ended and replaced; it is asked four times in that time',
};

/** @throws ConfigError */
export function workersOf(workers: number, where: string): number {
  if (workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new ConfigError(`${where}: ${workers} is not a number of processes from 1 to ${MAX_WORKERS}`);
}
