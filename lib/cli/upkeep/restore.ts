import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, StorageError } from '../../errors.ts';
import { becomesAnother, checkFile, previewRestore, requireUnused, restoreDatabase, servicesIn } from '../../server.ts';
import { requireConsent } from '../client/consent.ts';
import type { ServerCall } from '../commands/call.ts';
import { type Database, databasesOf, type ServiceName } from './databases.ts';

const NAMES: Readonly<Record<ServiceName, string>> = { hashserv: 'hash equivalence', prserv: 'PR' };

/** `bakeserv restore BACKUP`. */
export async function run({ args, flags }: ServerCall): Promise<number> {
  const backup = path.resolve(args.need('BACKUP'));
  const report = await checkFile(backup);
  if (report.isUnusable)
    throw new StorageError('storage-corrupt', `${backup} cannot be restored: ${report.problems.join('; ')}`);
  const services = await servicesOf(backup);
  const target = targetFor(backup, services, await databasesOf(flags));
  await requireUnused(target);
  const doubts = [
    ...report.problems.map((problem) => `the backup has ${problem}`),
    ...(await lossesOf(backup, target, services)),
  ];
  for (const doubt of doubts) process.stderr.write(`bakeserv: warning: ${doubt}\n`);
  if (doubts.length > 0 && !args.has('yes'))
    await requireConsent(`Replace ${target} nevertheless?`, `replace ${target} all the same`);
  const withNewId = args.has('as-new') || (await becomesAnother(backup, target));
  const kept = await restoreDatabase(backup, target, { withNewId });
  if (args.has('json'))
    process.stdout.write(
      `${JSON.stringify({ backup, services, database: target, kept, new_id: withNewId }, null, 2)}\n`,
    );
  else {
    process.stdout.write(`${target}: restored from ${backup}\n`);
    if (withNewId)
      process.stdout.write('it is another database now: servers that pull from it read it from its beginning\n');
    if (kept) process.stdout.write(`${kept}: what was there before\n`);
  }
  return 0;
}

async function servicesOf(file: string): Promise<readonly ServiceName[]> {
  const holds = await servicesIn(file);
  return (['hashserv', 'prserv'] as const).filter((service) => holds[service]);
}

const namesOf = (services: readonly ServiceName[]) => services.map((service) => NAMES[service]).join(' and ');
const flagsFor = (services: readonly ServiceName[]) => services.map((service) => `--${service}-db`).join(' and ');

/**
 * The database that the backup takes the place of.
 * @throws ConfigError where that is none, several, or one that holds more than the backup
 */
function targetFor(backup: string, services: readonly ServiceName[], databases: readonly Database[]): string {
  const [target, ...others] = databases.filter((each) => each.services.some((service) => services.includes(service)));
  const what = `${backup} holds ${namesOf(services)} data`;
  if (!target)
    throw new ConfigError(`${what}, for which no database is configured: name it with ${flagsFor(services)}`);
  if (others.length > 0)
    throw new ConfigError(
      `${what}, and the services have a database each (${[target, ...others].map(({ file }) => file).join(', ')}): name one file`,
    );
  requireAllIn(what, services, target.services, target.file);
  return target.file;
}

function requireAllIn(what: string, has: readonly ServiceName[], wanted: readonly ServiceName[], file: string): void {
  const missing = wanted.filter((service) => !has.includes(service));
  if (missing.length > 0)
    throw new ConfigError(`${what}, and ${file} also has ${namesOf(missing)} data, which would go`);
}

/** What would be lost with the database that is there, a line each. */
async function lossesOf(backup: string, target: string, services: readonly ServiceName[]): Promise<readonly string[]> {
  if (!fs.existsSync(target)) return [];
  try {
    requireAllIn(`${backup} holds ${namesOf(services)} data`, services, await servicesOf(target), target);
    const { packages, values, examples } = await previewRestore(backup, target);
    if (values === 0) return [];
    const more = packages > examples.length ? ', …' : '';
    return [
      `${values} PR values of ${packages} packages were given out since this backup and would be given out again, for ` +
        `something else: ${examples.join(', ')}${more}`,
    ];
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    // It is damaged, most likely: what a backup is for.
    const unknown = services.includes('prserv') ? '; which PR values were given out since the backup is not known' : '';
    return [`the database that is there cannot be read: ${error.message}${unknown}`];
  }
}
