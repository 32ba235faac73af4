import type { Option } from '../../settings/options.ts';

export const STATUS_OPTIONS: readonly Option[] = [
  {
    name: 'check',
    type: 'boolean',
    default: false,
    describe:
      'Send a request to each address, and read and write each database; prints faults, with status 1, also when no server runs',
    group: 'Output',
  },
  {
    name: 'json',
    type: 'boolean',
    default: false,
    describe: 'Print a JSON array',
    group: 'Output',
  },
];
