import type { Option } from '../../settings/options.ts';

const row = (name: string, describe: string, more: Partial<Option> = {}): Option => ({
  name,
  type: 'string',
  default: undefined,
  describe,
  group: 'Server',
  ...more,
});

/** Which server is meant, and how its answers are shown. */
export const JOBS_OPTIONS: readonly Option[] = [
  row('pid', 'The server with this process, as `bakeserv status` shows it; by default the only one of this user'),
  row('dir', 'The private server of this build folder', { completes: 'folder' }),
  row('socket', 'The server on this control socket, where it cannot be found otherwise', { completes: 'file' }),
  row(
    'address',
    'Instead: a server that is asked as its clients ask: unix://PATH, HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
  ),
  row('service', 'With --address: whose jobs are meant', { choices: ['hashserv', 'prserv'], default: 'hashserv' }),
  row('login', 'With --address: log in as this user', { alias: 'l', values: ['USER'] }),
  row('password', 'The token of that user; by default the one in netrc', { alias: 'p', values: ['TOKEN'] }),
  row('ca', 'PEM file of certificate authorities to trust for tls:// and wss://', { completes: 'file' }),
  row('wait', 'start: wait for the job, as `wait` does', { type: 'boolean', default: false, group: 'Output' }),
  row('states', 'list: only jobs in these states, with commas between them', { group: 'Output' }),
  row('limit', 'list: at most so many jobs, of 100', { type: 'integer', default: 20, group: 'Output' }),
  row('before', 'list: only jobs before the one with this ID', { type: 'integer', group: 'Output' }),
  row('json', 'Print results as JSON', { type: 'boolean', default: false, group: 'Output' }),
];

/** A server that does what a command would, as a job. */
export const IN_A_SERVER: readonly Option[] = [
  {
    name: 'background',
    type: 'boolean',
    default: false,
    describe: 'Have a running server do it as a job, print the ID of that and do not wait (`bakeserv jobs`)',
    group: 'In a running server',
  },
  ...JOBS_OPTIONS.filter(({ name }) => ['pid', 'dir', 'socket'].includes(name)).map(
    (option): Option => ({
      ...option,
      describe: `With --background: ${option.describe[0]!.toLowerCase()}${option.describe.slice(1)}`,
      group: 'In a running server',
    }),
  ),
];
