import fs from 'node:fs';
import path from 'node:path';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { UsageError } from '../args/usage-error.ts';

/** Parameters that name something in a folder of this machine; `to` and `from` may be addresses too. */
const PATHS = ['file', 'folder', 'to', 'from', 'list_file', 'token_file', 'ca', 'tls_cert', 'tls_key'];

/**
 * Parameters from words: `NAME=TEXT`, or `NAME:=JSON` for what is not a text.
 * @param isHere names of files mean those of this machine: they get their full path
 * @throws UsageError
 */
export function readParameters(words: readonly string[], isHere: boolean): { [name: string]: Json } {
  const parameters = new Map<string, Json>();
  for (const word of words) {
    const [, name, isJson, text] = /^([\w-]+)(:?)=([\s\S]*)$/.exec(word) ?? [];
    if (name === undefined || text === undefined)
      throw new UsageError(`jobs start: ${JSON.stringify(word)} is not NAME=TEXT, nor NAME:=JSON`);
    if (parameters.has(name)) throw new UsageError(`jobs start: ${name} is given twice`);
    parameters.set(name, isJson ? parse(name, text) : isHere ? placeOf(name, text) : text);
  }
  return Object.fromEntries(parameters);
}

function placeOf(name: string, text: string): string {
  // What is not there may be HOST:PORT.
  const isPlace = name === 'source' ? fs.existsSync(text) : PATHS.includes(name) && !/^\w+:\/\//.test(text);
  return isPlace ? path.resolve(text) : text;
}

function parse(name: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`jobs start: ${name}: ${JSON.stringify(text)} is not JSON; for a text write ${name}=TEXT`);
  }
}

/** What a refusal says where a server expects something else than a text; it names the parameter. */
const NO_TEXT = /(?:^|: )([\w-]+) must be (?:number|integer|boolean|object|array)\b/;

/** A refusal of a text that should be something else, with how that is written; any other error as it is. */
export function withAdvice(error: unknown, parameters: { readonly [name: string]: Json }): unknown {
  const name = error instanceof InvokeError ? NO_TEXT.exec(error.message)?.[1] : undefined;
  if (!(error instanceof InvokeError) || name === undefined || typeof parameters[name] !== 'string') return error;
  return new InvokeError(`${error.message}; what is not a text is written ${name}:=JSON`, error, error.kind);
}
