import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { userName } from '../../asyncrpc/transport/passwd.ts';
import { ConfigError, InvokeError, reasonOf } from '../../errors.ts';
import { besideFolder, nameFolder, removeLeftovers } from '../../files/unfinished.ts';
import type { Args } from '../args/args.ts';
import { type AutoPlace, autoPlace } from '../auto/place.ts';
import { makeFolders } from '../process/folders.ts';

/** Which servers a stage asks for what it does not know. */
export interface Upstreams {
  readonly hashserv: string;
  readonly prserv: string;
}

/** What is kept about a stage. */
export interface StageRecord {
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly upstreams: Upstreams;
}

export interface Stage {
  readonly record: StageRecord;
  readonly place: AutoPlace;
}

const RECORD = 'stage.json';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * The name of a stage, which is also that of its folder.
 * @throws ConfigError
 */
export function stageName(given: string): string {
  if (NAME.test(given)) return given;
  const shown = JSON.stringify(given.length > 80 ? `${given.slice(0, 80)}…` : given);
  throw new ConfigError(
    `NAME: ${shown} cannot be the name of a stage: expected at most 64 letters, digits, dots, dashes and underscores, a letter or digit first`,
  );
}

/** The folder of the stages: as given, otherwise the one for what programs of this user keep. */
export function stagesFolder(args: Args, environment: NodeJS.ProcessEnv): string {
  const given = args.text('stages-dir');
  if (given === '') throw new ConfigError('--stages-dir: the name of the folder is empty');
  if (given !== undefined) return path.resolve(given);
  const state = environment.XDG_STATE_HOME;
  // The XDG Base Directory Specification: what is not a whole path there is ignored.
  const base = state && path.isAbsolute(state) ? state : path.join(os.homedir(), '.local/state');
  return path.join(base, 'bakeserv/stages');
}

/**
 * A stage that is there, or null.
 * @throws ConfigError when it is another user's, or the folder is no stage
 */
export function findStage(folder: string, name: string): Stage | null {
  const own = path.join(folder, name);
  const found = statOf(own);
  if (!found) return null;
  if (!found.isDirectory()) throw new ConfigError(`${own} is no stage: it is not a folder`);
  if (process.getuid !== undefined && found.uid !== process.getuid())
    throw new ConfigError(`the stage ${name} in ${folder} belongs to ${userName(found.uid)}: take another name`);
  const record = readRecord(path.join(own, RECORD));
  if (record) return { record, place: autoPlace(own, undefined) };
  if (fs.readdirSync(own).length === 0) return null;
  throw new ConfigError(`${own} is no stage: there is no ${RECORD} of one in it`);
}

/** @throws InvokeError when there is none of that name */
export function requireStage(folder: string, name: string): Stage {
  const stage = findStage(folder, name);
  if (stage) return stage;
  throw new InvokeError(`there is no stage ${name} in ${folder}`);
}

/**
 * That a stage is still the one that was looked at: it may be dropped meanwhile, and another made of its name.
 * @throws InvokeError
 */
export function requireStill(folder: string, { record: { name, created } }: Stage): void {
  const now = findStage(folder, name);
  if (now?.record.created === created) return;
  throw new InvokeError(
    now
      ? `the stage ${name} is another one now, made ${now.record.created}: nothing was done`
      : `the stage ${name} was dropped meanwhile: nothing was done`,
  );
}

/** Every stage of this user in a folder, by name. Other things there are passed over. */
export function allStages(folder: string): Stage[] {
  const names = statOf(folder) ? fs.readdirSync(folder).filter((name) => NAME.test(name)) : [];
  return names.sort().flatMap((name) => {
    try {
      return findStage(folder, name) ?? [];
    } catch (error) {
      if (error instanceof ConfigError) return [];
      throw error;
    }
  });
}

/**
 * Makes a stage. It has its name only with its record in it; of two commands that make the same one, one does.
 * @returns the one that is there then
 */
export function makeStage(folder: string, record: StageRecord): Stage {
  const own = path.join(folder, record.name);
  const before = besideFolder(own, 'new');
  try {
    makeFolders(folder, 0o700);
    fs.mkdirSync(before, { mode: 0o700 });
    fs.writeFileSync(path.join(before, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    fs.rmSync(before, { recursive: true, force: true });
    throw error instanceof ConfigError ? error : new ConfigError(`cannot make ${own}: ${reasonOf(error)}`, error);
  }
  const fault = nameFolder(before, own);
  fs.rmSync(before, { recursive: true, force: true });
  const stage = findStage(folder, record.name);
  if (stage) return stage;
  throw new ConfigError(`cannot make ${own}: ${fault}`);
}

/** Removes the files of a stage whose server has ended. Its name is free at once, also where this is killed half-way. */
export function removeStage({ place }: Stage): void {
  const gone = besideFolder(place.folder, 'discarded');
  fs.renameSync(place.folder, gone);
  fs.rmSync(gone, { recursive: true, force: true });
}

/** Removes what commands on this stage left behind that were killed. */
export function removeRests(folder: string, name: string): void {
  removeLeftovers(path.join(folder, name), ['new', 'discarded']);
}

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw new ConfigError(`cannot look at ${file}: ${reasonOf(error)}`, error);
  }
}

function readRecord(file: string): StageRecord | null {
  try {
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<StageRecord>;
    const texts = [record.name, record.created, record.upstreams?.hashserv, record.upstreams?.prserv];
    return texts.every((text) => typeof text === 'string') ? (record as StageRecord) : null;
  } catch {
    return null;
  }
}
