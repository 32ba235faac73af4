import type { Option } from '../../settings/options.ts';

const option = (name: string, describe: string, more: Partial<Option> = {}): Option => ({
  name,
  type: 'string',

  describe,
  setting: true,
  ...more,
});

export const WARM_OPTIONS: readonly Option[] = [
  option('address', 'The server that should fetch: unix://PATH, HOST:PORT or ws://HOST:PORT', {
    default: 'unix://./hashserve.sock',
  }),
  option('from-db', 'Instead of FILE: all tasks of this hash equivalence database'),
  option('user', 'Log in as this user'),
  option('token', 'The token for that login; better set in the environment', { secret: true }),
  option('ca', 'PEM file of certificate authorities to trust for wss://'),
  option('json', 'Print the result as a JSON object', { type: 'boolean', default: false }),
];
