import fs from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.ts';
import type { Flags } from '../../settings/settings.ts';
import { wholeNumber } from '../args/whole-number.ts';
import { takeServer } from '../auto/ensure.ts';
import { networkFileSystem } from '../auto/network-file-system.ts';
import { variables } from '../auto/place.ts';
import { confLines, shellLines, withPassthrough } from '../auto/shell.ts';
import type { ServerCall } from '../commands/call.ts';
import type { Build, ServerStatus } from '../process/control.ts';
import { joinServer } from '../process/control-client.ts';
import {
  findStage,
  makeStage,
  removeRests,
  requireStage,
  type Stage,
  stageName,
  stagesFolder,
  type Upstreams,
} from './place.ts';
import { findUpstreams, namedUpstreams } from './shared.ts';

/** Longer than that of `auto`: while a large package compiles, a build may need nobody. */
const DEFAULT_IDLE_SECONDS = 3600;

/** `bakeserv stage NAME`. */
export async function run({ args, flags, words }: ServerCall): Promise<number> {
  const name = stageName(args.need('NAME'));
  const folder = stagesFolder(args, process.env);
  const idleSeconds = wholeNumber(flags, 'idle', 'a whole number of seconds') ?? DEFAULT_IDLE_SECONDS;
  const build = { idleMs: idleSeconds * 1000, parent: wholeNumber(flags, 'parent', 'the number of a process') };
  if (args.has('foreground')) return serve(requireStage(folder, name), flags, build);
  const stage = await ensureStage(folder, name, flags);
  const status = await takeStage(stage, words, build);
  process.stdout.write(args.has('json') ? toJson(stage, status) : FORMATS[args.text('format') ?? 'shell']!(status));
  return 0;
}

/**
 * Starts the server of a stage if it does not run.
 * @param words the command line after `stage`
 */
export function takeStage({ place }: Stage, words: readonly string[], build: Build): Promise<ServerStatus> {
  return takeServer(place, ['stage', '--foreground', ...words], () => joinServer(place.control, build));
}

const FORMATS: Readonly<Record<string, (status: ServerStatus) => string>> = {
  shell: (status) => shellLines(withPassthrough(variables(status), process.env)),
  conf: (status) => confLines(variables(status)),
};

function toJson({ record, place }: Stage, status: ServerStatus): string {
  const { name, created, upstreams } = record;
  return `${JSON.stringify({ name, created, folder: place.folder, upstreams, ...variables(status) }, null, 2)}\n`;
}

/** The stage of that name, which is made where it is not there. */
async function ensureStage(folder: string, name: string, flags: Flags): Promise<Stage> {
  removeRests(folder, name);
  const named = namedUpstreams(flags, process.env);
  const there = findStage(folder, name);
  if (there && flags.new === true)
    throw new ConfigError(
      `the stage ${name} is there already, since ${there.record.created}: "bakeserv discard ${name}" drops it`,
    );
  if (there) return requireSame(there, named);
  refuseNetwork(folder);
  const upstreams = await findUpstreams(named);
  return requireSame(makeStage(folder, { name, created: new Date().toISOString(), upstreams }), upstreams);
}

/** Values given out below one server mean nothing below another. */
function requireSame(stage: Stage, named: Partial<Upstreams>): Stage {
  const { name, upstreams } = stage.record;
  for (const service of ['hashserv', 'prserv'] as const) {
    const wanted = named[service] ?? upstreams[service];
    if (wanted !== upstreams[service])
      throw new ConfigError(
        `the stage ${name} is there already, and is of ${upstreams[service]}, not of ${wanted}: take another name, or drop it with "bakeserv discard ${name}"`,
      );
  }
  return stage;
}

/** @throws ConfigError where databases would get damaged */
function refuseNetwork(folder: string): void {
  let there = folder;
  while (!fs.existsSync(there)) there = path.dirname(there);
  const network = networkFileSystem(there);
  if (network === null) return;
  throw new ConfigError(
    `${folder} is on a network file system (${network}), where SQLite databases get damaged; name a folder on a local disk with --stages-dir`,
  );
}

/** Runs the server of a stage in this process. */
async function serve({ record, place }: Stage, flags: Flags, build: Build): Promise<number> {
  const { serveAuto } = await import('../auto/server.ts');
  const { privateSettings } = await import('../auto/settings.ts');
  const { hashserv, prserv } = record.upstreams;
  const { json: _, ...rest } = flags;
  const given = { ...rest, 'hashserv-upstream': hashserv, 'prserv-upstream': prserv };
  // What a stage gave out may be published: it must not be given out twice after a power cut.
  return serveAuto(place, () => privateSettings(place, given, process.env, 'immediate'), build, 'stage');
}
