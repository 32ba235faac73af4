import type { Option } from '../../settings/options.ts';
import { flag } from './flag.ts';

/** An option with a text as its value. */
export const text = (
  name: string,
  value: string,
  describe: string,
  group: string,
  more: Partial<Option> = {},
): Option => ({
  name,
  type: 'string',
  values: [value],
  default: undefined,
  describe,
  group,
  ...more,
});

const ROWS = 'Rows';
const SERVER = 'Server';
const SOURCE = 'Source';
const OUTPUT = 'Output';

export const PULL_OPTIONS: readonly Option[] = [
  flag('hashes', 'Only hash equivalence', ROWS),
  flag('prs', 'Only PR values', ROWS),
  text('packages', 'GLOB', 'Only of these recipes (PN), as a pattern with * and ?', ROWS),
  text('pkgarch', 'GLOB', 'Only PR values of these architectures', ROWS),
  text('methods', 'LIST', 'Only hashes of these methods, separated by commas', ROWS),
  text(
    'since',
    'ID|TIME',
    'Only hashes behind the row of this number in the source, or reported since a time (2026-11-21T12:00, UTC)',
    ROWS,
  ),
  text(
    'on-conflict',
    'HOW',
    'What is done about PR values in conflict: nothing is written, ours stays, or new values above both',
    ROWS,
    {
      choices: ['fail', 'keep', 'raise'],
      default: 'fail',
    },
  ),
  text('user', 'USER', 'Log in to the source as this user', SOURCE),
  text(
    'token-file',
    'FILE',
    'A file with the token for that; otherwise it is looked up in .netrc under the address',
    SOURCE,
    {
      completes: 'file',
    },
  ),
  text('ca', 'FILE', 'PEM file of certificate authorities to trust for tls:// and wss://', SOURCE, {
    completes: 'file',
  }),
  text('tls-cert', 'FILE', 'PEM file of the certificate to show a source that asks for one', SOURCE, {
    completes: 'file',
  }),
  text('tls-key', 'FILE', 'PEM file of the key of that certificate', SOURCE, { completes: 'file' }),
  text('address', 'ADDRESS', 'The server to pull into, where several run here: by an address of it', SERVER),
  text('pid', 'PID', 'Or by its process, as `bakeserv status` shows it', SERVER),
  text('dir', 'DIR', 'Or the private server of this build folder', SERVER, { completes: 'folder' }),
  text('socket', 'FILE', 'Or the server on this control socket, where it cannot be found otherwise', SERVER, {
    completes: 'file',
  }),
  flag('dry-run', 'Show what is new, equal and in conflict; nothing is written', OUTPUT),
  flag('background', 'Do not wait for the end: print the number of the job', OUTPUT),
  flag('json', 'Print the result as JSON', OUTPUT),
];
