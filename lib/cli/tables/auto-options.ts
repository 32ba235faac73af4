import type { Option } from '../../settings/options.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../../settings/serve-options.ts';

const PRIVATE = 'Private server';
const own = (row: Omit<Option, 'group'>): Option => ({ ...row, group: PRIVATE });

const DIR = own({
  name: 'dir',
  type: 'string',
  default: undefined,
  describe: 'The build folder; by default $TOPDIR, then $BUILDDIR, then the current folder',
});

/** Options of `serve` that make sense for a private server. Its addresses and files follow from the folder. */
const SHARED = ['history', 'sync-mode', 'cache-size', 'log-level', 'log-format'];
const isShared = ({ name }: Option) => SHARED.includes(name) || name.includes('upstream') || name === 'ca';

/** Options that `auto` and `run` share. */
export const PRIVATE_OPTIONS: readonly Option[] = [
  DIR,
  own({
    name: 'db-dir',
    type: 'string',
    default: undefined,
    describe: 'Folder of the databases, on a local disk; by default the folder cache in the build folder',
  }),
  { ...CONFIG_OPTION, group: PRIVATE, describe: 'Configuration file, YAML or JSON; none by default' },
  ...SERVE_OPTIONS.filter(isShared).map((row) => (row.name === 'sync-mode' ? { ...row, default: 'on_shutdown' } : row)),
];

export const AUTO_OPTIONS: readonly Option[] = [
  ...PRIVATE_OPTIONS,
  own({
    name: 'idle',
    type: 'string',
    default: '600',
    describe: 'End after this many seconds without any client; 0: never',
  }),
  own({ name: 'parent', type: 'string', default: undefined, describe: 'End when this process ends' }),
  own({
    name: 'stop',
    type: 'boolean',
    default: false,
    describe: 'Stop the running server, and wait until it has ended',
  }),
  own({
    name: 'format',
    type: 'string',
    default: 'shell',
    choices: ['shell', 'conf', 'json'],
    describe: 'How the variables are printed: for a shell, for local.conf, or as JSON',
  }),
  own({
    name: 'foreground',
    type: 'boolean',
    default: false,
    describe: 'Run the server in this process, for a supervisor; prints nothing',
  }),
];
