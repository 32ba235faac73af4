import fs from 'node:fs';
import path from 'node:path';
import { AUTO_OPTIONS, PRIVATE_OPTIONS } from '../lib/cli/auto-options.ts';
import { HASHSERV_OPTIONS } from '../lib/cli/bitbake-hashserv.ts';
import { PRSERV_OPTIONS } from '../lib/cli/bitbake-prserv.ts';
import { STATUS_OPTIONS } from '../lib/cli/status.ts';
import { WARM_OPTIONS } from '../lib/cli/warm.ts';
import { type DocumentedCommand, optionsDocument } from '../lib/settings/options-doc.ts';
import { settingsSchema } from '../lib/settings/schema.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../lib/settings/serve-options.ts';
import { clientFiles } from './client-files.ts';
import { withOptionsTable } from './options-table.ts';
import { serverCompletion } from './server-completion.ts';
import { serverManPage } from './server-man.ts';

const README = path.join(import.meta.dirname, '../README.md');

const COMMANDS: readonly DocumentedCommand[] = [
  {
    name: 'serve',
    about: 'Serves hash equivalence and PR values until a signal.',
    options: [CONFIG_OPTION, ...SERVE_OPTIONS],
  },
  {
    name: 'config',
    about:
      '`bakeserv config check` says whether `bakeserv serve` would start with these settings, `config print` shows every option with where it was set, `config schema` prints the JSON Schema of the configuration file. Takes the options of `serve`.',
    options: [],
  },
  {
    name: 'auto',
    about:
      'Starts a private server for a build folder in the background, or finds the one that runs, and prints what BitBake has to be told. The options below that are not about the private server are those of `serve`.',
    options: AUTO_OPTIONS,
  },
  {
    name: 'run',
    about: '`bakeserv run [options] -- COMMAND` runs a command with a private server, which ends with it.',
    options: PRIVATE_OPTIONS,
  },
  {
    name: 'warm',
    about:
      '`bakeserv warm [FILE]` has a server fetch from its upstream what it misses: the tasks of FILE, of standard input, or of another database.',
    options: WARM_OPTIONS,
  },
  { name: 'status', about: 'Shows every running server of this user on this machine.', options: STATUS_OPTIONS },
  {
    name: 'bitbake-hashserv',
    about: 'Also `contrib/bitbake/bitbake-hashserv`: BitBake’s hash equivalence server by its own flags.',
    options: HASHSERV_OPTIONS,
  },
  {
    name: 'bitbake-prserv',
    about: 'Also `contrib/bitbake/bitbake-prserv`: BitBake’s PR server by its own flags.',
    options: PRSERV_OPTIONS,
  },
];

/** Every generated file of the repository, README for its table: its path from the root, and what it must hold. */
export function generatedFiles(version: string): ReadonlyMap<string, string> {
  return new Map([
    ['README.md', withOptionsTable(fs.readFileSync(README, 'utf8'))],
    ['contrib/bakeserv.schema.json', `${JSON.stringify(settingsSchema(), null, 2)}\n`],
    ['docs/options.md', optionsDocument(COMMANDS)],
    ['contrib/man/bakeserv.1', serverManPage(COMMANDS, version)],
    ['contrib/completion/bakeserv.bash', serverCompletion(COMMANDS, 'bash')],
    ['contrib/completion/_bakeserv', serverCompletion(COMMANDS, 'zsh')],
    ['contrib/completion/bakeserv.fish', serverCompletion(COMMANDS, 'fish')],
    ...clientFiles(),
  ]);
}
