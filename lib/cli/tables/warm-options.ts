import type { Option } from '../../settings/options.ts';

const option = (name: string, describe: string, more: Partial<Option> = {}): Option => ({
  name,
  type: 'string',

  describe,
  setting: true,
  ...more,
});

export const WARM_OPTIONS: readonly Option[] = [
  option(
    'address',
    'The server that should fetch: unix://PATH, HOST:PORT, tls://HOST:PORT, ws://HOST:PORT or wss://HOST:PORT',
    {
      default: 'unix://./hashserve.sock',
    },
  ),
  option('from-db', 'Instead of FILE: all tasks of this hash equivalence database'),
  option('user', 'Log in as this user'),
  option('token', 'The token for that login; better set in the environment', { secret: true }),
  option('ca', 'PEM file of certificate authorities to trust for tls:// and wss://'),
  option('upstream-tls-cert', 'PEM file of the certificate to show a server that asks for one'),
  option('upstream-tls-key', 'PEM file of the key of that certificate'),
  option('json', 'Print the result as a JSON object', { type: 'boolean', default: false }),
];
