import { parseAddress } from '../asyncrpc/address.ts';
import { errorText } from '../errors.ts';
import type { Option } from '../options.ts';
import type { ServerStatus } from './control.ts';
import { runningServers } from './control-folder.ts';
import { parseFlags } from './options.ts';

export const STATUS_OPTIONS: readonly Option[] = [
  {
    name: 'check',
    type: 'boolean',
    default: false,
    describe: 'Ask every address something as a client; status 1 when one does not answer, or no server runs',
    group: 'Output',
    flagOnly: true,
  },
  {
    name: 'json',
    type: 'boolean',
    default: false,
    describe: 'Print a JSON array',
    group: 'Output',
    flagOnly: true,
  },
];

/** `bakeserv status`: every server of this user on this machine. */
export async function run(args: readonly string[]): Promise<number> {
  const flags = await parseFlags(
    'bakeserv status [--json] [--check]\n\nShows every running server of this user on this machine.',
    STATUS_OPTIONS,
    args,
  );
  if (!flags) return 0;
  const servers = (await runningServers(process.env)).map(({ status }) => status);
  if (flags.json === true) process.stdout.write(`${JSON.stringify(servers, null, 2)}\n`);
  else if (servers.length === 0) process.stderr.write('bakeserv: no server of this user is running\n');
  else process.stdout.write(servers.map((server) => describe(server, Date.now())).join('\n'));
  return flags.check === true && !(await allAnswer(servers)) ? 1 : 0;
}

async function allAnswer(servers: readonly ServerStatus[]): Promise<boolean> {
  const { selfCheck } = await import('./self-check.ts');
  let answered = 0;
  for (const { addresses, databases } of servers) {
    const services = { hashserv: databases.hashserv !== null, prserv: databases.prserv !== null };
    for (const address of addresses) {
      try {
        await selfCheck(parseAddress(address), services);
        answered++;
      } catch (error) {
        process.stderr.write(`bakeserv: ${errorText(error)}\n`);
        return false;
      }
    }
  }
  return answered > 0;
}

function describe(server: ServerStatus, now: number): string {
  const { command, pid, clients, addresses, databases, upstreams, version } = server;
  const up = duration((now - Date.parse(server.started)) / 1000);
  const pairs = (of: Readonly<Record<string, string | null>>) =>
    Object.entries(of)
      .filter(([, value]) => value !== null)
      .map(([service, value]) => `${value} (${service})`)
      .join(', ') || 'none';
  return `bakeserv ${command} ${version}: pid ${pid}, up ${up}, ${clients} ${clients === 1 ? 'client' : 'clients'}
  address   ${addresses.join(', ')}
  database  ${pairs(databases)}
  upstream  ${pairs(upstreams)}
`;
}

/** The two largest units. */
function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}
