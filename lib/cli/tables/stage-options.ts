import type { Option } from '../../settings/options.ts';
import { PRIVATE_OPTIONS } from './auto-options.ts';
import { PULL_OPTIONS } from './pull-options.ts';

const STAGE = 'Stage';
const own = (row: Omit<Option, 'group' | 'default'> & Partial<Pick<Option, 'default'>>): Option => ({
  default: row.type === 'boolean' ? false : undefined,
  ...row,
  group: STAGE,
});

const STAGES_DIR = own({
  name: 'stages-dir',
  type: 'string',
  completes: 'folder',
  describe:
    'The folder of the stages, on a local disk; by default bakeserv/stages in $XDG_STATE_HOME, which is ~/.local/state',
});
const JSON_FLAG = own({ name: 'json', type: 'boolean', describe: 'Print the result as JSON' });
const YES = own({ name: 'yes', type: 'boolean', describe: 'Do not ask' });

/** A stage has its databases in its folder, and its upstreams are what --address says. */
const isShared = ({ name }: Option) => name !== 'dir' && name !== 'db-dir';

export const STAGE_OPTIONS: readonly Option[] = [
  own({
    name: 'address',
    type: 'string',
    describe:
      'The shared server that the stage is of: unix://PATH, HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT; by default the only one that runs on this machine',
  }),
  own({ name: 'new', type: 'boolean', describe: 'Fail where there is a stage of that name' }),
  STAGES_DIR,
  own({
    name: 'idle',
    type: 'string',
    default: '3600',
    describe: 'End its server after this many seconds without any client; 0: never',
  }),
  own({ name: 'parent', type: 'string', describe: 'End its server when this process ends' }),
  own({
    name: 'format',
    type: 'string',
    default: 'shell',
    choices: ['shell', 'conf'],
    describe: 'How the variables are printed: for a shell, or for local.conf',
  }),
  JSON_FLAG,
  own({ name: 'foreground', type: 'boolean', describe: 'Run the server of the stage in this process', hidden: true }),
  ...PRIVATE_OPTIONS.filter(isShared).map((row) => (row.name === 'sync-mode' ? { ...row, default: 'immediate' } : row)),
];

export const STAGES_OPTIONS: readonly Option[] = [STAGES_DIR, JSON_FLAG];

export const DISCARD_OPTIONS: readonly Option[] = [
  YES,
  own({ name: 'force', type: 'boolean', describe: 'Also while clients are connected to it' }),
  STAGES_DIR,
  JSON_FLAG,
];

const PULLED = ['hashes', 'prs', 'packages', 'on-conflict', 'dry-run'];

export const PUBLISH_OPTIONS: readonly Option[] = [
  own({
    name: 'address',
    type: 'string',
    describe:
      'The server that the stage is of, by an address that `bakeserv status` shows, where the stage knows it by another',
  }),
  YES,
  STAGES_DIR,
  JSON_FLAG,
  ...PULL_OPTIONS.filter(({ name }) => PULLED.includes(name)),
];
