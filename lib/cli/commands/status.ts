import { parseAddress } from '../../asyncrpc/transport/address.ts';
import { userName } from '../../asyncrpc/transport/passwd.ts';
import { errorText, printable } from '../../errors.ts';
import type { MirrorStatus } from '../../meter/mirror-status.ts';
import type { StandbyLag } from '../../meter/standby-lag.ts';
import { tellReport } from '../../settings/rights.ts';
import type { ServerStatus } from '../process/control.ts';
import { askCheck } from '../process/control-client.ts';
import { controlFolder, type FoundServer, runningServers } from '../process/control-folder.ts';
import { type UnseenServer, unseenServers } from '../process/unseen-servers.ts';
import type { ServerCall } from './call.ts';

/** `bakeserv status`: every server of this user on this machine. */
export async function run({ flags }: ServerCall): Promise<number> {
  const found = await runningServers(process.env);
  const servers = found.map(({ status }) => status);
  if (flags.json === true) process.stdout.write(`${JSON.stringify(servers, null, 2)}\n`);
  else if (servers.length === 0) process.stderr.write('bakeserv: no server of this user is running\n');
  else process.stdout.write(servers.map((server) => describe(server, Date.now())).join('\n'));
  for (const unseen of unseenServers(servers, controlFolder())) process.stderr.write(`bakeserv: ${tell(unseen)}\n`);
  if (flags.check !== true) return 0;
  const faults = (await Promise.all(found.map(faultsOf))).flat();
  for (const fault of faults) process.stderr.write(`bakeserv: ${fault}\n`);
  return faults.length > 0 || found.length === 0 ? 1 : 0;
}

function tell({ pid, uid, command, isBetween }: UnseenServer): string {
  if (isBetween) return `process ${pid} (${command}) is a server that is still starting, or about to end: ask again`;
  return `process ${pid} of ${userName(uid)} looks like a server too (${command}), but does not answer here: ask as that user, with its TMPDIR`;
}

/** Faults of a server: an address that does not answer, a store that cannot be read or written. */
async function faultsOf({ status, control }: FoundServer): Promise<string[]> {
  const { selfCheck } = await import('./self-check.ts');
  const { addresses, listeners, databases, pid } = status;
  const services = { hashserv: databases.hashserv !== null, prserv: databases.prserv !== null };
  const faults: string[] = [];
  for (const [i, address] of addresses.entries()) {
    await selfCheck(parseAddress(address), listeners?.[i] ?? services).catch((error) => faults.push(errorText(error)));
  }
  try {
    faults.push(...((await askCheck(control)) ?? ['it does not say whether its databases can be read and written']));
  } catch (error) {
    faults.push(errorText(error));
  }
  return faults.map((fault) => `server ${pid}: ${fault}`);
}

function describe(server: ServerStatus, now: number): string {
  const { command, pid, clients, addresses, listeners, databases, upstreams, version, memory } = server;
  const up = duration((now - Date.parse(server.started)) / 1000);
  const pairs = (of: Readonly<Record<string, string | null>>) =>
    Object.entries(of)
      .filter(([, value]) => value !== null)
      .map(([service, value]) => `${value} (${service})`)
      .join(', ') || 'none';
  return `bakeserv ${command} ${version}: pid ${pid}, up ${up}, ${clients} ${clients === 1 ? 'client' : 'clients'}
${warningLines(server)}${addressLines(addresses, listeners)}
${certificateLines(server)}  database  ${pairs(databases)}
${standbyLines(server)}  upstream  ${pairs(upstreams)}
${mirrorLines(server, now)}${jobLine(server, now)}${workerLine(server)}${memory ? `  memory    ${tellMemory(memory)}\n` : ''}`;
}

/** A line for each thing that wants somebody. */
function warningLines({ warnings = [] }: ServerStatus): string {
  return warnings
    .map(
      ({ severity, text, subject }) =>
        `  ${severity.padEnd(8)}  ${text}${subject === null ? '' : ` (${printable(subject)})`}\n`,
    )
    .join('');
}

/** A line for each server that is mirrored. */
function mirrorLines({ mirrors = [] }: ServerStatus, now: number): string {
  return mirrors.map((mirror) => `  mirror    ${mirror.source}: ${tellMirror(mirror, now)}\n`).join('');
}

/** How it is now, and since when. */
function tellMirror({ state, running, ...mirror }: MirrorStatus, now: number): string {
  const ago = (moment: string) => `${duration(Math.max(0, now - Date.parse(moment)) / 1000)} ago`;
  const { level_at: levelAt, failing_since: since, error, conflicts, every_seconds: everySeconds } = mirror;
  const level = levelAt === null ? 'not level since the start' : `level ${ago(levelAt)}`;
  const why = state === 'away' ? 'its source is away' : 'it fails';
  const taken = Object.values(mirror.rows).reduce((sum, count) => sum + count, 0);
  return [
    since === null
      ? level
      : `${level}, ${why} since ${duration(Math.max(0, now - Date.parse(since)) / 1000)}: ${error}`,
    ...(running ? ['taking what is new'] : []),
    ...(conflicts > 0 ? [`PR values in conflict: ${conflicts.toLocaleString('en-US')}`] : []),
    `rows taken: ${taken.toLocaleString('en-US')}`,
    `every ${duration(everySeconds)}`,
  ].join('; ');
}

/** What runs and waits in the background, and what went wrong last. */
function jobLine({ jobs }: ServerStatus, now: number): string {
  if (!jobs) return '';
  const since = (moment: string) => duration(Math.max(0, now - Date.parse(moment)) / 1000);
  const named = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`))
      .join(', ');
  const { running, waiting, waiting_since: oldest, last_failed: failed } = jobs;
  const lines = [
    ...(named(running) ? [`running: ${named(running)}`] : []),
    ...(oldest === null ? [] : [`waiting: ${named(waiting)}, for ${since(oldest)}`]),
    ...(failed ? [`failed last: ${failed.id} (${failed.kind}), ${since(failed.ended)} ago`] : []),
  ];
  return lines.length === 0 ? '' : `  jobs      ${lines.join('; ')}\n`;
}

/** The processes of a server that has several, each with its clients. */
function workerLine({ workers }: ServerStatus): string {
  if (!workers) return '';
  const each = workers.map(({ worker, pid, clients }) => `${worker} (pid ${pid}, clients: ${clients})`);
  return `  workers   ${each.join(', ')}\n`;
}

/** How much of the unihashes is in memory. */
function tellMemory({ state, rows, share }: NonNullable<ServerStatus['memory']>): string {
  const unihashes = `${rows.toLocaleString('en-US')} unihashes`;
  if (state === 'none') return 'no unihashes (--cache-size)';
  if (state === 'all') return `all ${unihashes}`;
  if (state === 'newest') return `the newest ${unihashes}`;
  const done = state === 'loading' ? `${Math.floor(share * 100)} % of the database read` : 'compared with the database';
  return `${unihashes}, ${done}`;
}

/** A line for each address, with what its clients may do where the server says so. */
function addressLines(addresses: readonly string[], listeners: ServerStatus['listeners']): string {
  if (!listeners) return `  address   ${addresses.join(', ')}`;
  return addresses.map((address, i) => `  address   ${address}: ${tellReport(listeners[i]!)}`).join('\n');
}

/** A line for each certificate: listeners may share one. */
function certificateLines({ certificates = [] }: ServerStatus): string {
  const lines = certificates.map(({ file, expires }) => `  certificate  ${file}, expires ${expires.slice(0, 10)}\n`);
  return [...new Set(lines)].join('');
}

/** A line for each service that reads from a standby; one where both do from the same. */
function standbyLines({ standbys }: ServerStatus): string {
  const lags = Object.entries(standbys ?? {}).filter(([, lag]) => lag !== null);
  const told = lags.map(([service, lag]) => ({ service, text: tellLag(lag!) }));
  const texts = [...new Set(told.map(({ text }) => text))];
  const of = (text: string) => told.filter((one) => one.text === text).map(({ service }) => service);
  return texts.map((text) => `  standby   ${text} (${of(text).join(', ')})\n`).join('');
}

/** @param lag as the server says it */
function tellLag({ seconds, bytes, streaming }: StandbyLag): string {
  const behind = seconds === null ? 'it is not known how far it is behind' : `${tellSeconds(seconds)} behind`;
  const of = bytes === null || bytes === 0 ? '' : `, ${bytes.toLocaleString('en-US')} bytes to replay`;
  return `${seconds === 0 ? 'up to date' : behind}${of}${streaming ? '' : '; its primary sends nothing'}`;
}

const tellSeconds = (seconds: number) => (seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds));

/** The two largest units. */
function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}
