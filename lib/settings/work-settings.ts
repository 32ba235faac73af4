import path from 'node:path';
import { ConfigError } from '../errors.ts';
import { templateFault } from '../insights/shared-state/object-name.ts';
import type { Option } from './options.ts';

/** How a server runs jobs. */
export interface JobsConfig {
  /** How many run at once. */
  readonly workers: number;
  readonly maxWaiting: number;
  /** Where they are kept. */
  readonly file: string;
}

const NAME = 'bakeserv-jobs.db';

export const JOB_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'job-workers',
    type: 'integer',
    default: 2,
    describe: 'Jobs that run at once; of those that write to a database there is only ever one',
  },
  {
    name: 'max-waiting-jobs',
    type: 'integer',
    default: 100,
    describe: 'Jobs of each service, and of the owner, that wait for others; more are refused',
  },
  {
    name: 'jobs-db',
    type: 'string',
    default: undefined,
    describe: `SQLite file that jobs are kept in; by default ${NAME} beside the first database file, or in the working folder where both are on PostgreSQL. It is made for the first job`,
  },
];

/**
 * @param databases the database files that are served, in order
 * @throws ConfigError
 */
export function jobsOf(
  value: (name: string) => unknown,
  where: (name: string) => string,
  databases: readonly string[],
): JobsConfig {
  const named = value('jobs-db') as string | undefined;
  if (named === '') throw new ConfigError(`${where('jobs-db')}: the file name is empty`);
  const file = path.resolve(named ?? path.join(path.dirname(databases[0] ?? NAME), NAME));
  if (databases.some((each) => path.resolve(each) === file))
    throw new ConfigError(`${where('jobs-db')}: ${file} is a database that is served: jobs need a file of their own`);
  return { workers: value('job-workers') as number, maxWaiting: value('max-waiting-jobs') as number, file };
}

const FIGURES_NAME = 'bakeserv-figures';

export const FIGURES_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'figures-file',
    type: 'string',
    default: undefined,
    describe: `File that figures over time are kept in, about 500 KB; by default ${FIGURES_NAME} beside the first database file. - keeps them in memory alone, as a read-only server does, and one whose databases are both on PostgreSQL unless this names a file`,
  },
];

/**
 * Where figures over time are kept; null: in memory alone.
 * @param databases the database files that are served, in order
 * @throws ConfigError
 */
export function figuresFileOf(
  value: (name: string) => unknown,
  where: (name: string) => string,
  databases: readonly string[],
): string | null {
  const named = value('figures-file') as string | undefined;
  if (named === '') throw new ConfigError(`${where('figures-file')}: the file name is empty`);
  if (named === '-' || value('read-only') === true) return null;
  const [first] = databases;
  const beside = first === undefined ? undefined : path.join(path.dirname(first), FIGURES_NAME);
  const file = named ?? beside;
  if (file === undefined) return null;
  const taken = [...databases, jobsOf(value, where, databases).file];
  if (taken.some((each) => path.resolve(each) === path.resolve(file)))
    throw new ConfigError(
      `${where('figures-file')}: ${path.resolve(file)} is a database: figures need a file of their own`,
    );
  return path.resolve(file);
}

/** How much a server does for those who ask for insights. */
export interface InsightsConfig {
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  readonly keepMs: number;
}

export const INSIGHT_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'max-waiting-insights',
    type: 'integer',
    default: 8,
    describe: 'Insights that wait while another one is worked out; more are refused, and of one address half as many',
  },
  {
    name: 'insight-timeout',
    type: 'seconds',
    default: 60,
    describe: 'An insight that takes longer than this is ended',
  },
  {
    name: 'insight-cache',
    type: 'seconds-or-0',
    default: 30,
    describe: 'The answer of an insight is given for this long to all who ask the same; 0: it is worked out each time',
  },
];

export function insightsOf(value: (name: string) => unknown): InsightsConfig {
  return {
    maxWaiting: value('max-waiting-insights') as number,
    timeoutMs: (value('insight-timeout') as number) * 1000,
    keepMs: (value('insight-cache') as number) * 1000,
  };
}

/** What jobs of a server may compare its unihashes with. */
export interface SharedStateConfig {
  readonly folder: string | null;
  /** The address of a mirror, with user and password. */
  readonly mirror: string | null;
  readonly names: readonly string[];
  readonly pkgarchs: readonly string[];
}

export const SHARED_STATE_ROWS: readonly Omit<Option, 'group'>[] = [
  {
    name: 'sstate-dir',
    type: 'string',
    default: undefined,
    completes: 'folder',
    describe: 'Shared-state folder that the job shared-state compares the unihashes with',
  },
  {
    name: 'sstate-mirror',
    type: 'string',
    default: undefined,
    secret: true,
    describe: 'The same with a mirror (http or https): its address, which may have user and password',
  },
  {
    name: 'sstate-name',
    type: 'strings',
    default: [],
    describe: 'How objects are named on that mirror; several are tried in order (docs/insights.md)',
  },
  {
    name: 'sstate-pkgarch',
    type: 'strings',
    default: [],
    describe: 'A package architecture that is tried on that mirror; without it some usual ones',
  },
];

/** @throws ConfigError */
export function sharedStateOf(value: (name: string) => unknown, where: (name: string) => string): SharedStateConfig {
  const folder = value('sstate-dir') as string | undefined;
  const mirror = value('sstate-mirror') as string | undefined;
  const names = (value('sstate-name') as readonly string[] | undefined) ?? [];
  if (folder === '') throw new ConfigError(`${where('sstate-dir')}: the name of the folder is empty`);
  if (folder !== undefined && mirror !== undefined)
    throw new ConfigError(`${where('sstate-mirror')}: with --sstate-dir there is nothing to ask a mirror for`);
  if (mirror !== undefined && !(URL.canParse(mirror) && /^https?:$/.test(new URL(mirror).protocol)))
    throw new ConfigError(`${where('sstate-mirror')}: an address that begins with http:// or https:// was expected`);
  for (const name of names) {
    const fault = templateFault(name);
    if (fault !== null) throw new ConfigError(`${where('sstate-name')}: ${name}: ${fault}`);
  }
  return {
    folder: folder === undefined ? null : path.resolve(folder),
    mirror: mirror ?? null,
    names,
    pkgarchs: (value('sstate-pkgarch') as readonly string[] | undefined) ?? [],
  };
}
