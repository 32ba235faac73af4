import dns from 'node:dns/promises';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { formatAddress } from '../../asyncrpc/transport/address.ts';
import { ConfigError, reasonOf } from '../../errors.ts';
import type { Flags } from '../../settings/settings.ts';
import { UsageError } from '../args/usage-error.ts';
import { wholeNumber } from '../args/whole-number.ts';
import { reportFailure, reportReady, startInBackground } from '../process/background.ts';
import { askStatus, askStop } from '../process/control-client.ts';
import { controlFolder } from '../process/control-folder.ts';
import { listPidFiles, pidFile, removePidFile, writePidFile } from '../process/pid-file.ts';
import { PRSERV_OPTIONS } from '../tables/bitbake-options.ts';
import { explain, inWordsOf, logLevel, settingsFor } from './bitbake.ts';
import type { ServerCall } from './call.ts';

const STOP_MS = 15_000;

/** `bitbake-prserv`: takes the flags and environment of BitBake's PR server. */
export async function run({ flags, words }: ServerCall): Promise<number> {
  // Like BitBake's server: files and messages have the numeric address of the host, and the port as it was given.
  const host = await addressOf((flags.host as string | undefined) ?? '0.0.0.0');
  const port = wholeNumber(flags, 'port', 'the number of a port') ?? 8585;
  const bind = formatAddress({ kind: 'tcp', host, port });
  if (flags.stop === true) return stop(host, port);
  if (flags.foreground === true) return serve(flags, { host, port, bind });
  if (flags.start !== true) throw new UsageError('bitbake-prserv: say --start or --stop');

  const running = await askStatus(controlFile(host, port));
  if (running) {
    process.stderr.write(`bitbake-prserv: a server already runs on ${bind}, pid ${running.pid}; --stop ends it\n`);
    return 1;
  }
  const log = path.resolve((flags.log as string | undefined) ?? 'prserv.log');
  const started = await startInBackground(['bitbake-prserv', '--foreground', ...words], log, process.cwd());
  if (typeof started === 'object') return 0;
  process.stderr.write(`bitbake-prserv: the server ended at once with status ${started}; its log is ${log}\n`);
  return 1;
}

/** Used to find and stop the server of that host and port: the pid in a file is not trusted. */
function controlFile(host: string, port: number): string {
  return path.join(controlFolder(), `prserv_${host}_${port}.sock`);
}

async function serve(
  flags: Flags,
  { host, port, bind }: { host: string; port: number; bind: string },
): Promise<number> {
  const asServe: Flags = {
    bind: [bind],
    hashserv: false,
    prserv: true,
    'prserv-db': flags.file ?? 'prserv.sqlite3',
    'log-level': logLevel((flags.loglevel as string | undefined) ?? 'INFO', '--loglevel'),
    'prserv-upstream': flags.upstream ?? (process.env.PRSERV_UPSTREAM || undefined),
    'read-only': flags['read-only'] === true || undefined,
  };
  let file: string | null = null;
  const words = {
    '--bind': '--host and --port',
    '--prserv-db': '--file',
    '--prserv-upstream': flags.upstream === undefined ? 'PRSERV_UPSTREAM' : '--upstream',
  };
  const { runServer } = await import('../process/run-server.ts');
  try {
    return await inWordsOf(PRSERV_OPTIONS, words, async () =>
      runServer({
        command: 'bitbake-prserv',
        settings: await settingsFor(asServe, process.env),
        reload: () => settingsFor(asServe, process.env),
        onLogger: (log) => explain(log, 'bitbake-prserv', asServe),
        controls: ({ status, stop, reload }) => [
          { file: controlFile(host, port), actions: { status, reload, stop: () => stop('request') } },
        ],
        async onListening({ log, status }) {
          file = pidFile(os.tmpdir(), host, port);
          if (writePidFile(file, process.pid) === 'replaced') log.info('replaced a stale pid file', { file });
          reportReady(await status());
        },
        onClosed() {
          if (file) removePidFile(file, process.pid);
        },
      }),
    );
  } catch (error) {
    reportFailure(error);
    throw error;
  }
}

/** @throws ConfigError when the host does not exist */
async function addressOf(host: string): Promise<string> {
  try {
    return (await dns.lookup(host, net.isIP(host) === 6 ? 6 : 4)).address;
  } catch (error) {
    throw new ConfigError(`--host: ${host} is no host of this network: ${reasonOf(error)}`, error);
  }
}

async function stop(host: string, port: number): Promise<number> {
  if (await askStop(controlFile(host, port), STOP_MS)) return 0;
  const stale = pidFile(os.tmpdir(), host, port);
  const was = fs.existsSync(stale) ? ` (${stale} is stale)` : '';
  const others = [];
  for (const found of listPidFiles(os.tmpdir()))
    if (await askStatus(controlFile(found.host, found.port))) others.push(`${found.host}:${found.port}`);
  const list = others.length > 0 ? `servers run on ${others.join(', ')}; name one with --host and --port` : 'none runs';
  process.stderr.write(`bitbake-prserv: no server runs on ${host}:${port}${was}; ${list}\n`);
  return 1;
}
