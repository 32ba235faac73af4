import { runCli } from '../lib/cli/main.ts';

const COMMANDS = {
  serve: {
    describe: 'Serve hash equivalence and PR values to BitBake builds',
    load: () => import('../lib/cli/serve.ts'),
  },
  warm: {
    describe: 'Have a server fetch from its upstream what it misses',
    load: () => import('../lib/cli/warm.ts'),
  },
  auto: {
    describe: 'Start (or find) a private server for a build folder, and print what BitBake has to be told',
    load: () => import('../lib/cli/auto.ts'),
  },
  run: {
    describe: 'Run a command with a private server: bakeserv run -- bitbake world',
    load: () => import('../lib/cli/run.ts'),
  },
  status: {
    describe: 'Show the running servers',
    load: () => import('../lib/cli/status.ts'),
  },
  'bitbake-hashserv': {
    describe: 'As BitBake’s command of that name, with its flags and environment',
    load: () => import('../lib/cli/bitbake-hashserv.ts'),
  },
  'bitbake-prserv': {
    describe: 'As BitBake’s command of that name, with its flags and environment',
    load: () => import('../lib/cli/bitbake-prserv.ts'),
  },
  config: {
    describe: 'Check the settings, or show each with where it was set',
    load: () => import('../lib/cli/config.ts'),
  },
};

process.exitCode = await runCli(
  'bakeserv',
  'One server for the hash equivalence and PR values of BitBake / Yocto builds.',
  COMMANDS,
  process.argv.slice(2),
);
