import { formatAddress } from '../../asyncrpc/transport/address.ts';
import { runServer } from '../process/run-server.ts';
import type { ServerCall } from './call.ts';
import { loadSettings } from './load-settings.ts';

/** `bakeserv serve`: runs until a signal. */
export async function run({ flags }: ServerCall): Promise<number> {
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
      const { selfCheck } = await import('./self-check.ts');
      for (const { address, report } of server.listeners) say('answered', await selfCheck(address, report));
    },
  });
}
