import { ConfigError } from '../errors.ts';
import { didYouMean } from './nearest.ts';

/** A listener as an object of the configuration file; `--bind` says the same in a text. */
export interface ListenerObject {
  readonly address: string;
  readonly name?: string;
  readonly 'read-only'?: boolean;
  readonly services?: string | readonly string[];
  readonly 'anon-perms'?: string | readonly string[];
  readonly pr?: string;
  readonly 'socket-mode'?: string;
  readonly 'socket-group'?: string;
  readonly 'proxy-protocol'?: boolean;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
  readonly 'tls-client-ca'?: string;
  readonly 'pr-auth'?: boolean;
  readonly 'no-page'?: boolean;
}

/** A listener as it is given. */
export type ListenerGiven = string | ListenerObject;

const SERVICES = ['hashserv', 'prserv'];
const TEXTS = { type: 'string', minLength: 1 };
const LIST = { anyOf: [TEXTS, { type: 'array', items: TEXTS, minItems: 1 }] };

/** What can be said of a listener, as JSON schemas. */
const PROPERTIES: Readonly<Record<keyof ListenerObject, object>> = {
  address: { ...TEXTS, description: 'As --bind has it, without anything behind it' },
  name: { ...TEXTS, description: 'A socket that systemd hands over with this name takes the place of the address' },
  'read-only': { type: 'boolean', description: 'Nothing is stored for clients of this listener' },
  services: { ...LIST, description: 'What is served here: hashserv, prserv' },
  'anon-perms': { ...LIST, description: 'What clients of this listener may do without a login, as --anon-perms' },
  pr: { enum: ['read-only', 'none'], description: 'PR values are only looked up here, or not served' },
  'socket-mode': { ...TEXTS, description: 'As --socket-mode, for this Unix socket' },
  'socket-group': { ...TEXTS, description: 'As --socket-group, for this Unix socket' },
  'pr-auth': { type: 'boolean', description: 'PR clients must log in, as a user of hash equivalence' },
  'no-page': { type: 'boolean', description: 'No page at this http:// or https:// address, and no signing in on it' },
  'proxy-protocol': {
    type: 'boolean',
    description: 'Connections begin with a PROXY protocol header, and come from --trust-proxy only',
  },
  'tls-cert': { ...TEXTS, description: 'As --tls-cert, for this address' },
  'tls-key': { ...TEXTS, description: 'As --tls-key, for this address' },
  'tls-client-ca': { ...TEXTS, description: 'As --tls-client-ca, for this address' },
};

export const LISTENER_KEYS: readonly string[] = Object.keys(PROPERTIES);

const OBJECT = { type: 'object', properties: PROPERTIES, required: ['address'], additionalProperties: false };

/** The schema of `bind` in a configuration file. */
export const LISTENERS_SCHEMA = {
  anyOf: [{ type: 'string' }, OBJECT, { type: 'array', items: { anyOf: [{ type: 'string' }, OBJECT] } }],
};

/** Rights that are said without a value, and those whose list goes on with further words. */
const SWITCHES = ['read-only', 'pr-auth', 'no-page', 'proxy-protocol'];
const LISTS = ['services', 'anon-perms'];

/** Whether a word that stands behind an address is about it, rather than another address. */
function isAboutListener(word: string): boolean {
  const key = word.split('=', 1)[0]!;
  return word.startsWith('@') || SERVICES.includes(word) || LISTENER_KEYS.includes(key);
}

/** The listeners of a text that may name several, as an environment variable does. */
export function splitListeners(text: string): readonly string[] {
  const listeners: string[] = [];
  for (const part of text.split(/\s+/)) {
    for (const [i, word] of part.split(',').entries()) {
      if (word === '') continue;
      if (i > 0 && listeners.length > 0 && isAboutListener(word)) listeners[listeners.length - 1] += `,${word}`;
      else listeners.push(word);
    }
  }
  return listeners;
}

/**
 * Reads `ADDRESS,read-only,services=hashserv,anon-perms=@read,@report`.
 * @throws ConfigError naming the word
 */
export function readListener(text: string): ListenerObject {
  const [address = '', ...words] = text.split(',');
  const read: Record<string, unknown> = {};
  let list: string[] | null = null;
  for (const word of words) {
    const [, key, value] = /^([^=]*)(?:=(.*))?$/s.exec(word)!;
    if (value === undefined && list && (word.startsWith('@') || SERVICES.includes(word))) {
      list.push(word);
      continue;
    }
    const bad = (why: string) => new ConfigError(`${JSON.stringify(text)}: ${why}`);
    if (key === 'address' || !LISTENER_KEYS.includes(key!))
      throw bad(
        `${JSON.stringify(word)} is nothing that can be said of a listener${didYouMean(key!, LISTENER_KEYS)} (known are ${LISTENER_KEYS.slice(1).join(', ')})`,
      );
    if (read[key!] !== undefined) throw bad(`${key} is given twice`);
    if (SWITCHES.includes(key!) !== (value === undefined))
      throw bad(value === undefined ? `${key} needs a value, as ${key}=…` : `${key} takes no value`);
    if (value === '') throw bad(`${key} is empty`);
    list = LISTS.includes(key!) ? [value!] : null;
    read[key!] = list ?? value ?? true;
  }
  return { ...read, address };
}
