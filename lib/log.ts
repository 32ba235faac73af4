import fs from 'node:fs';
import { Writable } from 'node:stream';
import { printable } from './errors.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
/** Least talkative first. */
const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];
export type LogFields = Readonly<Record<string, unknown>>;

/** The interface everything logs through. Cheap when the level is off; never throws. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** A logger that logs nothing. */
export const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} };

/** The logger of a whole program, which can be changed while it runs. */
export interface ProgramLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Opens the log file again by its name, as after a rotation. Throws the system's error, and then goes on in the old file. */
  reopen(): void;
}

/**
 * A logger over winston that writes to a file, or to stderr: stdout is for results. In the journal lines have a priority.
 * @param level the most verbose level that is written
 * @param format `text` for people, `json` for collectors: one object a line
 * @throws the system's error when the file cannot be written
 */
export async function createLogger(
  level: LogLevel,
  format: 'text' | 'json',
  file: string | null = null,
): Promise<ProgramLogger> {
  const { default: winston } = await import('winston');
  const { combine, timestamp, printf, json } = winston.format;
  const readable = printf(({ timestamp, level, message, ...fields }) => {
    const rest = Object.entries(fields).map(
      ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return `${timestamp} ${level}: ${message}${rest.join('')}`;
  });
  const target = file === null ? null : openLogFile(file);
  const shape = format === 'json' ? json() : readable;
  const prioritized = winston.format((line) => {
    line[WRITTEN] = `<${PRIORITIES[line.level as LogLevel]}>${line[WRITTEN]}`;
    return line;
  });
  const forJournal = target === null && isJournal(process.env.JOURNAL_STREAM);
  const sink = winston.createLogger({
    level: 'debug',
    format: forJournal ? combine(timestamp(), shape, prioritized()) : combine(timestamp(), shape),
    transports: [
      target
        ? new winston.transports.Stream({ stream: target.stream })
        : new winston.transports.Console({ stderrLevels: [...LOG_LEVELS] }),
    ],
  });
  let rank = LOG_LEVELS.indexOf(level);
  const at = (of: LogLevel) => {
    const own = LOG_LEVELS.indexOf(of);
    return (message: string, fields?: LogFields) => {
      if (own <= rank) sink.log(of, message, plain(fields ?? {}));
    };
  };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    setLevel(now) {
      rank = LOG_LEVELS.indexOf(now);
    },
    reopen: () => target?.reopen(),
  };
}

/** Where winston keeps the text of a line. */
const WRITTEN: unique symbol = Symbol.for('message') as never;
/** Of syslog(3), for `journalctl -p warning`: the journal takes them off the front of a line (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/**
 * Whether stderr goes to the journal. The variable alone does not tell: whoever a service starts inherits it, with
 * stderr elsewhere (systemd.exec(5)).
 * @param stream `DEVICE:INODE` of the journal's end
 */
function isJournal(stream: string | undefined): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = fs.fstatSync(process.stderr.fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** A log file. Each line is written at once: the last one before a crash matters most. */
function openLogFile(file: string): { readonly stream: Writable; reopen(): void } {
  const open = () => fs.openSync(file, 'a', 0o640);
  let descriptor = open();
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      try {
        fs.writeSync(descriptor, line);
      } catch {
        // A full disk must not stop the server, and there is nowhere to report it.
      }
      done();
    },
  });
  return {
    stream,
    reopen() {
      const old = descriptor;
      descriptor = open();
      fs.closeSync(old);
    },
  };
}

/** Errors as text and code, with the cause: winston would print `{}`. Control characters are replaced. */
function plain(fields: LogFields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) out[key] = describe(value);
    else out[key] = typeof value === 'string' ? printable(value) : value;
  }
  return out;
}

/** An error on one line: its message may contain a client's text, so it is cut and cleaned. */
function describe(error: Error, maxLength = Number.POSITIVE_INFINITY): string {
  const message = printable(error.message.slice(0, maxLength));
  const text =
    'code' in error ? `${message} [${printable(String(error.code))}]` : `${error.name}: ${message}${trace(error)}`;
  return error.cause instanceof Error ? `${text}; caused by: ${describe(error.cause, maxLength)}` : text;
}

/** Where an unforeseen error came from. */
function trace({ stack = '', message }: Error): string {
  const frames = stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .map((frame) => frame.trim());
  return printable(` ${frames.filter((frame) => frame.startsWith('at ')).join(' ')}`).trimEnd();
}

/**
 * A logger for what clients cause: at most `perSecond` lines a second of each message, then a count of the rest;
 * no client text longer than 128 characters, and none that could forge a line.
 */
export function limitRate(log: Logger, perSecond = 10): Logger {
  const kinds = new Map<string, { second: number; lines: number; dropped: number }>();
  const at = (of: LogLevel) => (message: string, fields?: LogFields) => {
    const second = Math.floor(performance.now() / 1000);
    let kind = kinds.get(message);
    if (!kind) {
      kind = { second, lines: 0, dropped: 0 };
      kinds.set(message, kind);
    }
    if (kind.second !== second) {
      const { dropped } = kind;
      Object.assign(kind, { second, lines: 0, dropped: 0 });
      if (dropped > 0) log[of](`${message} (${dropped} more such lines left out)`);
    }
    if (++kind.lines > perSecond) kind.dropped++;
    else log[of](message, fields && shorten(fields));
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** Longer than other texts: most of it is ours, and it may contain a file name. */
const MAX_ERROR_LENGTH = 512;

function shorten(fields: LogFields): LogFields {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) out[key] = describe(value, MAX_ERROR_LENGTH);
    else out[key] = typeof value === 'string' ? printable(value.slice(0, 128)) : value;
  }
  return out;
}
