import { formatAddress } from '../asyncrpc/address.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../settings/serve-options.ts';
import { loadSettings } from './load-settings.ts';
import { parseFlags } from './options.ts';
import { runServer } from './run-server.ts';
import { selfCheck } from './self-check.ts';

const EXAMPLES = [
  ['bakeserv serve', 'both services on ./hashserve.sock and 127.0.0.1:8585'],
  ['bakeserv serve --bind :8585 --hashserv-db /var/lib/bakeserv/hash.db', 'for a farm'],
] as const;

/** `bakeserv serve`: runs until a signal. */
export async function run(args: readonly string[]): Promise<number> {
  const flags = await parseFlags(
    'bakeserv serve [options]\n\nServes hash equivalence and PR values to BitBake builds.',
    [CONFIG_OPTION, ...SERVE_OPTIONS],
    args,
    EXAMPLES,
  );
  if (!flags) return 0;
  const { settings, file, warnings } = await loadSettings(flags, process.env);
  const on = (name: string) => settings.get(name)!.value === true;
  const say = (event: string, text: string) => {
    process.stdout.write(on('json') ? `${JSON.stringify({ [event]: text })}\n` : `${event} ${text}\n`);
  };
  return runServer({
    command: 'serve',
    settings,
    ...(file && { configFile: file.path }),
    reload: async () => (await loadSettings(flags, process.env)).settings,
    onLogger(log) {
      if (file) log.info(`configuration file: ${file.path}`);
      for (const warning of warnings) log.warn(warning);
    },
    async onListening({ server }) {
      for (const { address } of server.listeners) say('listening', formatAddress(address));
      if (!on('self-check')) return;
      const services = { hashserv: on('hashserv'), prserv: on('prserv') };
      for (const { address } of server.listeners) say('answered', await selfCheck(address, services));
    },
  });
}
