import type { ErrorObject } from 'ajv';
import { readPrivateFile } from '../asyncrpc/transport/private-file.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigFile } from './config-file.ts';
import { LISTENER_KEYS, type ListenerGiven, splitListeners } from './listener-words.ts';
import { didYouMean } from './nearest.ts';
import { environmentName, type Option } from './options.ts';
import { expectedOf, settingsFaults } from './schema.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from './serve-options.ts';

export type Value = string | number | boolean | readonly string[] | readonly ListenerGiven[] | undefined;
export type Flags = Readonly<Record<string, unknown>>;

/** A value, and where it was set: `--bind`, `BAKESERV_BIND`, `bakeserv.yaml: bind`, or null for a default. */
export interface Setting {
  readonly option: Option;
  readonly value: Value;
  readonly where: string | null;
}

export type Settings = ReadonlyMap<string, Setting>;

/** What one source sets. `where` names a key as the user wrote it. */
interface Layer {
  readonly given: Readonly<Record<string, unknown>>;
  readonly where: (name: string) => string;
}

/**
 * Every option with its value. Flags win over the environment, then come the configuration file, the variables of the PR
 * server written in Rust, and the defaults. Reads the files that hold secrets, and nothing else.
 * @throws ConfigError naming where it was set, the key, what was expected, and for a typo the nearest known key
 */
export function resolveSettings(flags: Flags, environment: NodeJS.ProcessEnv, file: ConfigFile | null): Settings {
  const layers = [flagLayer(flags), environmentLayer(environment)];
  if (file) layers.push({ given: file.settings, where: (name) => `${file.path}: ${name}` });
  layers.push(rustLayer(environment));
  for (const layer of layers) requireValid(layer);
  const settings = new Map<string, Setting>();
  for (const option of SERVE_OPTIONS) {
    const layer = layers.find(({ given }) => given[option.name] !== undefined);
    settings.set(option.name, {
      option,
      value: layer ? normalise(option, layer.given[option.name]) : option.default,
      where: layer?.where(option.name) ?? null,
    });
  }
  for (const option of SERVE_OPTIONS) if (option.secret) settings.set(option.name, secret(option, layers, settings));
  return settings;
}

/**
 * Variables that begin with BAKESERV_ and are no option, each with the one that was probably meant. Not an error:
 * container platforms set variables like BAKESERV_PORT for everything that runs next to a service called bakeserv.
 */
export function unknownVariables(environment: NodeJS.ProcessEnv): readonly string[] {
  const known = [...SERVE_OPTIONS, CONFIG_OPTION].map(({ name }) => environmentName(name));
  return Object.keys(environment)
    .filter((name) => name.startsWith('BAKESERV_') && !known.includes(name))
    .map((name) => `${name} in the environment is no option of bakeserv${didYouMean(name, known)}`);
}

function flagLayer(flags: Flags): Layer {
  const given = pick((option) => {
    const value = flags[option.name];
    if (Array.isArray(value) && option.type !== 'strings' && option.type !== 'listeners')
      throw new ConfigError(`--${option.name} is given ${value.length} times; once was expected`);
    return typeof value === 'string' ? fromText(option, value) : value;
  });
  return { given, where: (name) => `--${name}` };
}

function environmentLayer(environment: NodeJS.ProcessEnv): Layer {
  // An empty variable counts as not set: that is how a unit or a compose file unsets one.
  const given = pick((option) => {
    const text = environment[environmentName(option.name)];
    return text ? fromText(option, text) : undefined;
  });
  return { given, where: environmentName };
}

/** Option name → variable of the Rust PR server, and its value as ours. */
const RUST: Readonly<Record<string, { readonly variable: string; readonly read: (text: string) => unknown }>> = {
  'prserv-db': {
    variable: 'PRSERV_DATABASE',
    read: (text) => text.replace(/^sqlite:(\/\/)?/, '').replace(/\?.*$/, ''),
  },
  bind: { variable: 'PRSERV_BIND_ADDR', read: (text) => [text] },
  'read-only': { variable: 'PRSERV_READ_ONLY', read: readBoolean },
  history: {
    variable: 'PRSERV_NOHIST',
    read: (text) => (typeof readBoolean(text) === 'boolean' ? !readBoolean(text) : text),
  },
  'prserv-sync-mode': {
    variable: 'PRSERV_SYNC_MODE',
    read: (text) =>
      text
        .toLowerCase()
        .replace('-', '_')
        .replace(/^periodic$/, 'periodic:10'),
  },
};

/** The environment without the variables of the Rust server: for commands other than `serve`. */
export function withoutRustSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const theirs = Object.values(RUST).map(({ variable }) => variable);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !theirs.includes(name)));
}

function rustLayer(environment: NodeJS.ProcessEnv): Layer {
  const given = pick(({ name }) => {
    const row = RUST[name];
    const text = row && environment[row.variable];
    return text ? row.read(text) : undefined;
  });
  return { given, where: (name) => RUST[name]!.variable };
}

function pick(read: (option: Option) => unknown): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const option of SERVE_OPTIONS) {
    const value = read(option);
    if (value !== undefined) given[option.name] = value;
  }
  return given;
}

/** A text as the type it would have in a file. What cannot be read stays a text, which the schema then refuses. */
function fromText(option: Option, text: string): unknown {
  switch (option.type) {
    case 'boolean':
      return readBoolean(text);
    case 'integer':
      return /^\d{1,12}$/.test(text) ? Number(text) : text;
    case 'seconds':
    case 'seconds-or-0':
      return /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : text;
    default:
      return text;
  }
}

function readBoolean(text: string): boolean | string {
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  return /^(false|no|off|0)$/i.test(text) ? false : text;
}

function requireValid({ given, where }: Layer): void {
  const faults = settingsFaults(given).map((fault) => describe(fault, given, where));
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('\n'));
}

function describe(
  { keyword, params, instancePath }: ErrorObject,
  given: Layer['given'],
  where: Layer['where'],
): string {
  if (keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    if (instancePath !== '')
      return `${where('bind')}: ${key} is nothing that can be said of a listener${didYouMean(key, LISTENER_KEYS)}`;
    const names = SERVE_OPTIONS.map(({ name }) => name);
    return `${where(key)} is no option${didYouMean(key, names)}`;
  }
  const name = instancePath.split('/')[1]!;
  const option = SERVE_OPTIONS.find((each) => each.name === name);
  const shown = option?.secret ? '…' : JSON.stringify(given[name]);
  return `${where(name)}: ${shown} is not ${option ? expectedOf(option) : 'a text'}`;
}

function normalise({ type }: Option, value: unknown): Value {
  if (type === 'listeners') {
    if (typeof value === 'string') return splitListeners(value);
    return Array.isArray(value) ? value : [value as ListenerGiven];
  }
  if (type === 'strings')
    return Array.isArray(value)
      ? value.map(String)
      : String(value)
          .split(/[\s,]+/)
          .filter(Boolean);
  if (type !== 'bytes' || typeof value === 'number') return value as Value;
  const [, digits, unit] = /^(\d+)\s*(\w*)$/.exec(String(value))!;
  return Number(digits) * UNITS[unit!.toUpperCase() || 'B']!;
}

const UNITS: Record<string, number> = { B: 1, KIB: 1024, MIB: 1024 ** 2, GIB: 1024 ** 3 };

/** The secret itself, or the one in its file: whichever the stronger source sets. */
function secret(option: Option, layers: readonly Layer[], settings: Settings): Setting {
  const plain = settings.get(option.name)!;
  const named = settings.get(`${option.name}-file`)!;
  if (named.where === null) return plain;
  const layer = layers.find(({ given }) => given[option.name] !== undefined || given[named.option.name] !== undefined)!;
  if (layer.given[named.option.name] === undefined) return plain;
  if (layer.given[option.name] !== undefined)
    throw new ConfigError(`${plain.where} and ${named.where} are both given: use only one of them`);
  return { option, value: readSecret(String(named.value), named.where), where: named.where };
}

function readSecret(path: string, where: string): string {
  const text = readPrivateFile(path, where).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new ConfigError(`${where}: ${path} is empty where a secret was expected`);
}
