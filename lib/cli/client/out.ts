import { styleText } from 'node:util';
import { encodeJson, type Json } from '../../asyncrpc/wire/messages.ts';
import { printable } from '../../errors.ts';
import { write } from '../../files/sink.ts';

/**
 * Where a command writes: results to stdout, everything else to stderr. Much of it comes from a server, and was stored
 * there by anybody: no control character of it gets through.
 */
export interface Out {
  /** `--json`: results as JSON, and errors too. */
  readonly json: boolean;
  /** Writes a line of the result. Await it where there are many. */
  line(text: string): Promise<void>;
  /** Writes the result: as text, or with `--json` the value. */
  result(value: Json, text: () => string | readonly string[]): Promise<void>;
  /** Prints a note for the person at the terminal, on stderr. */
  note(text: string): void;
  error(message: string): void;
  /** A heading in bold where results go to a terminal. */
  bold(text: string): string;
}

/** Colours are for terminals, and never with NO_COLOR set (https://no-color.org). */
export function wantsColor(stream: { isTTY?: boolean | undefined }, environment = process.env): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

export function createOut(json: boolean): Out {
  const line = (text: string) => write(process.stdout, `${plain(text)}\n`);
  const color = wantsColor(process.stderr);
  return {
    json,
    line,
    async result(value, text) {
      if (json) return line(encodeJson(value));
      const lines = text();
      for (const each of typeof lines === 'string' ? lines.split('\n') : lines) await line(each);
    },
    note: (text) => void process.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`),
    error(message) {
      if (json) process.stderr.write(`${encodeJson({ error: message })}\n`);
      else
        process.stderr.write(
          `${color ? styleText('red', 'ERROR:', { validateStream: false }) : 'ERROR:'} ${message.split('\n').map(printable).join('\n')}\n`,
        );
    },
    bold: (text) => (wantsColor(process.stdout) ? styleText('bold', text, { validateStream: false }) : text),
  };
}

const BOLD = '\u001b[1m';
const NOT_BOLD = '\u001b[22m';

/** A line of ours, which may be a heading in bold, without what others could have put into it. */
function plain(text: string): string {
  if (text.startsWith(BOLD) && text.endsWith(NOT_BOLD))
    return BOLD + printable(text.slice(BOLD.length, -NOT_BOLD.length)) + NOT_BOLD;
  return printable(text);
}

/**
 * JSON as Python's `json.dumps(…, sort_keys=True, indent=4)` writes it: scripts written for BitBake's client may compare
 * the text.
 */
export function pythonJson(value: Json, indent = ''): string {
  if (value === null || typeof value !== 'object') return encodeJson(value);
  const inner = `${indent}    `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((each) => pythonJson(each, inner))
    : Object.keys(value)
        .sort()
        .map((key) => `${encodeJson(key)}: ${pythonJson(value[key]!, inner)}`);
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}
