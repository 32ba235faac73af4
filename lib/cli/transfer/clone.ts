import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, InvokeError, reasonOf } from '../../errors.ts';
import { besideFolder, nameFolder, removeLeftovers } from '../../files/unfinished.ts';
import { SILENT } from '../../log.ts';
import { openDatabaseTarget, servicesIn } from '../../server.ts';
import { copy, partsToCopy } from '../../transfer/copy.ts';
import type { Source } from '../../transfer/ends.ts';
import { databasesIn } from '../../transfer/folder.ts';
import { PARTS, type ServiceName } from '../../transfer/parts.ts';
import type { PartReport } from '../../transfer/report.ts';
import { Interrupted } from '../../transfer/slices.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { freePort } from '../auto/port.ts';
import { createOut } from '../client/out.ts';
import type { ServerCall } from '../commands/call.ts';
import { makeFolders } from '../process/folders.ts';
import { CONFIG_FILE, configText, FILES, startCommand } from './clone-config.ts';
import { closing, showProgress } from './copy.ts';
import { isServer, openSource } from './ends.ts';
import { type Interrupt, listen } from './signals.ts';
import { describe, toJson } from './text.ts';

/** What to copy of which source. */
interface Origin {
  readonly service: ServiceName;
  readonly source: Source;
}

const PORT = 8585;
const SERVICES: readonly ServiceName[] = ['hashserv', 'prserv'];

/** `bakeserv clone SOURCE DIR`. */
export async function run({ args }: ServerCall): Promise<number> {
  const [word, folder] = [args.need('SOURCE'), wholePath(args.need('DIR'))];
  if (args.has('users') && isServer(word))
    throw new UsageError('--users: a running server gives nobody the tokens of its users; name its database instead');
  removeLeftovers(folder, ['clone']);
  requireFree(folder);
  const sources = await openSources(word, args);
  const interrupt = listen(['SIGINT', 'SIGTERM']);
  const before = besideFolder(folder, 'clone');
  try {
    const origins = originsOf(sources, word);
    makeFolders(path.dirname(folder), 0o777);
    makeOne(before);
    const reports = await fill(before, origins, args, interrupt);
    const services = new Set(origins.map(({ service }) => service));
    const made = new Date().toISOString();
    const port = await freePort(PORT);
    const config = { source: word, made, folder, services, port, withUsers: args.has('users') };
    writeConfig(path.join(before, CONFIG_FILE), configText({ ...config, source: nameOf(origins, word) }));
    const fault = nameFolder(before, folder);
    if (fault !== null) throw new ConfigError(`cannot make ${folder}: ${fault}`);
    await tell({ from: nameOf(origins, word), to: folder, dryRun: false }, reports, args);
    return 0;
  } catch (error) {
    fs.rmSync(before, { recursive: true, force: true });
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write(`bakeserv: interrupted; nothing is in ${folder}\n`);
    return interrupt.status;
  } finally {
    interrupt.stop();
    for (const source of sources) await source.close();
  }
}

/** Where the folder is, also behind a link. */
function wholePath(given: string): string {
  const folder = path.resolve(given);
  try {
    return fs.realpathSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return folder;
    throw new ConfigError(`DIR: cannot look at ${folder}: ${reasonOf(error)}`, error);
  }
}

/** @throws ConfigError when it cannot be the name of a folder that is made beside it, which would show only at the end */
function requireFree(folder: string): void {
  const found = fs.statSync(folder, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) throw new ConfigError(`DIR: ${folder} is there already, and is not a folder`);
  if (fs.readdirSync(folder).length > 0)
    throw new ConfigError(`DIR: ${folder} is not empty: a clone goes into a new or empty folder`);
  if (found.dev !== fs.statSync(path.dirname(folder)).dev)
    throw new ConfigError(`DIR: ${folder} is a mount point: name a folder in it`);
}

function makeOne(folder: string): void {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    throw new ConfigError(`cannot make the folder ${folder}: ${reasonOf(error)}`, error);
  }
}

/** The source, or those of the databases in a folder. */
async function openSources(word: string, args: Args): Promise<Source[]> {
  if (isServer(word) || !fs.statSync(word, { throwIfNoEntry: false })?.isDirectory())
    return [await openSource(word, args, new Set(SERVICES))];
  const sources: Source[] = [];
  try {
    for (const file of await databasesIn(word, servicesIn))
      sources.push(await openSource(file, args, new Set(SERVICES)));
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
  if (sources.length === 0) throw new ConfigError(`SOURCE: there is no database of a server in the folder ${word}`);
  return sources;
}

/** @throws ConfigError where there is nothing of a server, or two databases of one service */
function originsOf(sources: readonly Source[], word: string): Origin[] {
  const origins = SERVICES.flatMap((service) => {
    const having = sources.filter(({ parts }) => [...parts].some((part) => PARTS[part].service === service));
    if (having.length > 1)
      throw new ConfigError(
        `SOURCE: several databases in ${word} are of one service, name one: ${having.map(({ name }) => name).join(', ')}`,
      );
    return having.map((source) => ({ service, source }));
  });
  if (origins.length === 0) throw new ConfigError(`SOURCE: ${word} has no tables of a server`);
  return origins;
}

/** Copies each service into a file of its own, and checks it. */
async function fill(
  folder: string,
  origins: readonly Origin[],
  args: Args,
  { signal }: Interrupt,
): Promise<PartReport[]> {
  const reports: PartReport[] = [];
  for (const { service, source } of origins) {
    const of = { hashes: service === 'hashserv', prs: service === 'prserv' };
    const parts = partsToCopy(source, { ...of, users: of.hashes && args.has('users') });
    const target = await openDatabaseTarget(path.join(folder, FILES[service]), {
      services: new Set([service]),
      inUse: false,
      dryRun: false,
      log: SILENT,
    });
    const progress = await showProgress(source, parts, false);
    const skipUnstorable = args.has('skip-unstorable');
    const options = { source, target, parts, dryRun: false, skipUnstorable, signal, onRows: progress.add };
    const copied = await closing(target, () => copy(options)).finally(() => progress.stop());
    for (const { part, differing, named } of copied)
      if (differing > 0)
        throw new InvokeError(`${part}: ${source.name} gives rows that contradict each other: ${named.join('; ')}`);
    reports.push(...copied);
  }
  return reports;
}

/** As it may be shown: a password is not in the names of sources. */
const nameOf = (origins: readonly Origin[], word: string) =>
  origins.every(({ source }) => source === origins[0]!.source) ? origins[0]!.source.name : path.resolve(word);

function writeConfig(file: string, text: string): void {
  const descriptor = fs.openSync(file, 'wx');
  try {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function tell(ends: Parameters<typeof toJson>[0], reports: readonly PartReport[], args: Args): Promise<void> {
  const start = startCommand(ends.to);
  const config = path.join(ends.to, CONFIG_FILE);
  const { dry_run: _, ...counts } = toJson(ends, reports) as { [name: string]: never };
  await createOut(args.has('json')).result({ ...counts, config, start }, () => [
    ...describe(ends, reports),
    `start it with: ${start}`,
  ]);
}
