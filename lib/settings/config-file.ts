import fs from 'node:fs';
import { ConfigError, errorText, reasonOf } from '../errors.ts';

/** A configuration file as it was read; its keys are not checked yet. */
export interface ConfigFile {
  readonly path: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Searched in this order when no file is named. */
const CONFIG_PLACES = ['./bakeserv.yaml', '/etc/bakeserv/bakeserv.yaml'] as const;

/**
 * Reads the named configuration file, or the first of the usual places that exists. Null when there is none.
 * @throws ConfigError when it cannot be read or is neither YAML nor JSON; the message names the file and the line
 */
export async function loadConfigFile(named: string | undefined): Promise<ConfigFile | null> {
  if (named !== undefined) return read(named);
  const found = CONFIG_PLACES.find((place) => fs.existsSync(place));
  return found ? read(found) : null;
}

async function read(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read the configuration file ${path}: ${reasonOf(error)}`, error);
  }
  const settings = (await parse(path, text)) ?? {};
  if (typeof settings !== 'object' || Array.isArray(settings))
    throw new ConfigError(`${path}: expected "option: value" lines, as in "bind: :8585"`);
  return { path, settings: settings as Record<string, unknown> };
}

/** JSON is YAML too, but the YAML reader costs start-up time and words its errors for YAML. */
async function parse(path: string, text: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(text);
    const { parse } = await import('yaml');
    return parse(text, { prettyErrors: true });
  } catch (error) {
    throw new ConfigError(`${path}: ${errorText(error).trim()}`, error);
  }
}
