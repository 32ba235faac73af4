import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ConfigError, reasonOf } from '../../errors.ts';

/** A login from a netrc file. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** The machine name of the `default` entry. */
const DEFAULT = Symbol('default');
type Entries = Map<string | typeof DEFAULT, Credentials>;

/**
 * The login for an address from `$NETRC` or `~/.netrc`, or null when there is no file or no entry. The whole address
 * (`unix:///run/hash.sock`, `ws://host:8686/ws`) is the machine name, as BitBake's client has it.
 * @throws ConfigError for a line that cannot be parsed, and for secrets in a file that others may read
 */
export function findCredentials(address: string, environment = process.env): Credentials | null {
  const named = environment.NETRC;
  const file = named || path.join(environment.HOME || os.homedir(), '.netrc');
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new ConfigError(`cannot read ${file}: ${reasonOf(error)}`, error);
  }
  const entries = parseNetrc(text, file, () => checkMode(file, Boolean(named)));
  return entries.get(address) ?? entries.get(DEFAULT) ?? null;
}

/**
 * Secrets that others may read are refused, as Python does for `~/.netrc`. A file named by `$NETRC` may belong to
 * another user: a secret that is mounted into a container does.
 */
function checkMode(file: string, named: boolean): void {
  if (process.platform === 'win32') return;
  const { uid, mode } = fs.statSync(file);
  if (!named && uid !== os.userInfo().uid) throw new ConfigError(`${file} belongs to another user: it is not read`);
  if ((mode & 0o077) !== 0) {
    throw new ConfigError(`${file} can be read by others: put that right with "chmod 600 ${file}"`);
  }
}

/**
 * Reads netrc text as Python's netrc module does: words separated by white space, `"…"` and `\` quote, `#` where a keyword
 * may stand begins a comment to the end of the line, `macdef` runs to the next empty line, a later entry of the same
 * machine replaces an earlier one.
 * @param file for messages
 * @param beforeSecret called when an entry other than one for `anonymous` holds a password
 * @throws ConfigError naming file and line
 */
export function parseNetrc(text: string, file: string, beforeSecret: () => void = () => {}): Entries {
  const reader = new Reader(text, file);
  const entries: Entries = new Map();
  for (let word = reader.keyword(); word !== null; word = reader.keyword()) {
    if (word === 'macdef') reader.skipMacro();
    else if (word === 'default') entries.set(DEFAULT, readEntry(reader, beforeSecret));
    else if (word === 'machine') entries.set(reader.value('machine'), readEntry(reader, beforeSecret));
    else throw reader.error(`expected machine, default or macdef, not ${JSON.stringify(word)}`);
  }
  return entries;
}

function readEntry(reader: Reader, beforeSecret: () => void): Credentials {
  let login = '';
  let password = '';
  for (;;) {
    const before = reader.at;
    const word = reader.keyword();
    if (word === 'login' || word === 'user') login = reader.value(word);
    else if (word === 'account') reader.value(word);
    else if (word === 'password') {
      if (login !== 'anonymous') beforeSecret();
      password = reader.value(word);
    } else if (word === null || word === 'machine' || word === 'default' || word === 'macdef') {
      reader.at = before;
      return { login, password };
    } else throw reader.error(`expected login, account or password, not ${JSON.stringify(word)}`);
  }
}

class Reader {
  at = 0;
  private readonly text: string;
  private readonly file: string;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  /** The next word that is not in a comment; null at the end. */
  keyword(): string | null {
    for (;;) {
      this.skipBlanks();
      if (this.text[this.at] !== '#') return this.word();
      const end = this.text.indexOf('\n', this.at);
      this.at = end < 0 ? this.text.length : end;
    }
  }

  /** The word after a keyword: here `#` is a character like any other. */
  value(keyword: string): string {
    this.skipBlanks();
    const word = this.word();
    if (word === null) throw this.error(`${keyword} without a value`);
    return word;
  }

  skipMacro(): void {
    this.value('macdef');
    const end = /\n[ \t\r]*\n|\n$/g;
    end.lastIndex = this.at;
    if (!end.test(this.text)) throw this.error('a macro runs to the end of the file; an empty line must end it');
    this.at = end.lastIndex;
  }

  error(what: string): ConfigError {
    const line = this.text.slice(0, this.at).split('\n').length;
    return new ConfigError(`${this.file}, line ${line}: ${what}`);
  }

  private skipBlanks(): void {
    while (this.at < this.text.length && isBlank(this.text[this.at]!)) this.at++;
  }

  private word(): string | null {
    if (this.at >= this.text.length) return null;
    const quoted = this.text[this.at] === '"';
    if (quoted) this.at++;
    let word = '';
    for (; this.at < this.text.length; this.at++) {
      let char = this.text[this.at]!;
      if (quoted ? char === '"' : isBlank(char)) break;
      if (char === '\\') char = this.text[++this.at] ?? '';
      word += char;
    }
    if (quoted) this.at++;
    return word;
  }
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}
