import type { Option } from '../../settings/options.ts';

const row = (option: Omit<Option, 'group' | 'type'>): Option => ({ ...option, type: 'string', group: 'Server' });

export const RELOAD_OPTIONS: readonly Option[] = [
  row({ name: 'dir', default: undefined, describe: 'The private server of this build folder', completes: 'folder' }),
  row({
    name: 'socket',
    default: undefined,
    describe: 'The server on this control socket, where it cannot be found otherwise',
    completes: 'file',
  }),
  { name: 'json', type: 'boolean', default: false, describe: 'Print the result as JSON', group: 'Output' },
];
