import type { Option } from '../../settings/options.ts';

export const STATUS_OPTIONS: readonly Option[] = [
  {
    name: 'check',
    type: 'boolean',
    default: false,
    describe:
      'Ask every address something as a client, look something up in each database and write to it; status 1 with what is wrong, or when no server runs',
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
