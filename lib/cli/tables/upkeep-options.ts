import type { Option } from '../../settings/options.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../../settings/serve-options.ts';
import { IN_A_SERVER } from './jobs-options.ts';

/** Which databases are meant, in the words of `bakeserv serve`. */
const DATABASES: readonly Option[] = [
  CONFIG_OPTION,
  ...SERVE_OPTIONS.filter(({ name }) => name === 'hashserv-db' || name === 'prserv-db'),
];

const JSON_OPTION: Option = {
  name: 'json',
  type: 'boolean',
  default: false,
  describe: 'Print the result as JSON',
  group: 'Output',
};

export const BACKUP_OPTIONS: readonly Option[] = [
  ...DATABASES,
  {
    name: 'keep',
    type: 'integer',
    default: 7,
    describe:
      'So many backups of each database stay in the folder; older ones are removed once the new one is whole. 0 keeps all',
    group: 'Backups',
  },
  ...IN_A_SERVER,
  JSON_OPTION,
];

export const MIGRATE_OPTIONS: readonly Option[] = [
  ...DATABASES,
  {
    name: 'dry-run',
    type: 'boolean',
    default: false,
    describe: 'Only print the statements',
    group: 'Databases',
  },
  JSON_OPTION,
];

export const CHECK_OPTIONS: readonly Option[] = [...IN_A_SERVER, JSON_OPTION];

export const RESTORE_OPTIONS: readonly Option[] = [
  ...DATABASES,
  {
    name: 'as-new',
    type: 'boolean',
    default: false,
    describe:
      'It becomes the database of another server than the backup was made of; so it does anyway where no database, or that of another server, is in its place',
    group: 'Backups',
  },
  {
    name: 'yes',
    type: 'boolean',
    default: false,
    describe: 'Do not ask, also when PR values will be given out again',
    group: 'Backups',
  },
  JSON_OPTION,
];
