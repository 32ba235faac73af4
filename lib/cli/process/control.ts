import net from 'node:net';
import { clientMessage } from '../../asyncrpc/faults.ts';
import { bindUnixSocket } from '../../asyncrpc/transport/unix/socket.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { JobsStatus } from '../../meter/job-figures.ts';
import type { MirrorStatus } from '../../meter/mirror-status.ts';
import type { App, TakenOver } from '../../server.ts';
import type { ListenerReport } from '../../settings/rights.ts';
import type { Warning } from '../../warnings/rules.ts';
import type { WorkerStatus } from '../../workers/lead.ts';

export interface CertificateStatus {
  readonly address: string;
  readonly file: string;
  /** ISO 8601, UTC. */
  readonly expires: string;
}

/** What a running server reports about itself. */
export interface ServerStatus {
  /** The command that started it: `serve`, `auto`, `bitbake-prserv`, … */
  readonly command: string;
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly version: string;
  readonly addresses: readonly string[];
  /** What clients of each address may do, in the same order; absent in servers from before. */
  readonly listeners?: readonly ListenerReport[];
  /** The certificates of addresses with TLS; absent in servers from before. */
  readonly certificates?: readonly CertificateStatus[];
  readonly databases: { readonly hashserv: string | null; readonly prserv: string | null };
  /** Of standbys that look-ups are answered from, how far behind they are; null elsewhere, absent in servers from before. */
  readonly standbys?: ReturnType<App['lags']>;
  readonly clients: number;
  /** How much of the unihashes is in memory; null without hash equivalence, absent in servers from before. */
  readonly memory?: ReturnType<App['loading']>;
  readonly upstreams: { readonly hashserv: string | null; readonly prserv: string | null };
  /** Servers that this one keeps itself level with; absent in servers from before. */
  readonly mirrors?: readonly MirrorStatus[];
  /** What wants somebody; absent in servers from before. */
  readonly warnings?: readonly Warning[];
  /** How its jobs are; null while the process that runs them is being replaced, absent in servers from before. */
  readonly jobs?: JobsStatus | null;
  /** The processes that serve, where there are several. */
  readonly workers?: readonly WorkerStatus[];
}

/** Commands whose servers are for one build, and nobody's service. */
const PRIVATE_COMMANDS = ['auto', 'stage'] as const;
export type PrivateCommand = (typeof PRIVATE_COMMANDS)[number];

export function isPrivate({ command }: Pick<ServerStatus, 'command'>): boolean {
  return PRIVATE_COMMANDS.some((each) => each === command);
}

/** The server's side of a lease. */
export interface Lease {
  /** The lease was returned. True if others still need the server. */
  release(): 'kept' | 'ends';
}

/** What can be asked on a control socket; the server hangs up on what is absent. */
export interface ControlActions {
  status(): ServerStatus | Promise<ServerStatus>;
  stop?(): void;
  /** The faults of the server, one per line; none when all is well. */
  check?(): Promise<readonly string[]>;
  /** Reads the settings again. Never where others than the server's user can connect. */
  reload?(): Promise<TakenOver>;
  /**
   * Runs a command about jobs, of anybody's. Never where others than the server's user can connect.
   * @throws InvokeError when it is refused
   */
  job?(command: string, args: Json): Promise<Json>;
  /** A build was given the addresses. False when the server is about to end. */
  join?(build: Build): boolean;
  /** A process needs the server for as long as it holds the connection. Null when the server is about to end. */
  lease?(pid: number, onStop: () => void): Lease | null;
}

/** A build that uses a private server without holding a lease. */
export interface Build {
  /** The build counts as over after this long without any client; 0: never. */
  readonly idleMs: number;
  /** The build is over when this process ends; or null. */
  readonly parent: number | null;
}

/** The other end of control-client.ts. */
export interface Control {
  /** Stops answering. Connections that wait for the end stay open: for them the end of the process is the answer. */
  close(): void;
}

/** Sent to lease holders when somebody stopped the server: they must not start it again. */
export const STOPPED = 'stopped';
export const RELEASE = 'release';

/** Longer than any request. */
const MAX_WORD_BYTES = 256;
/** Longer than the parameters of any job. */
const MAX_JOB_BYTES = 1024 * 1024 + 32 * 1024;
/** Builds in one folder, each with its lease. */
const MAX_CONNECTIONS = 256;
/** Any user may ask a service: nobody can exhaust its descriptors by connecting often, or by staying. */
const MAX_STRANGERS = 32;
const WORD_MS = 10_000;

/**
 * Listens on a control socket of this server. A client that can connect knows that the server is alive and which process
 * it is; a process number in a file would not be reliable.
 * @param mode who may connect; by default only the user who may use the folder
 * @throws AddressError when another server answers there already
 */
export async function openControl(file: string, actions: ControlActions, mode?: number): Promise<Control> {
  const server = net.createServer((socket) => {
    // Status clients must not keep a stopped server alive.
    socket.unref();
    socket.on('error', () => {});
    let text = '';
    socket.setTimeout(WORD_MS, () => socket.destroy());
    const read = (piece: Buffer) => {
      text += piece;
      if (text.length > (actions.job ? MAX_JOB_BYTES : MAX_WORD_BYTES)) return socket.destroy();
      if (!text.includes('\n')) return;
      socket.off('data', read).setTimeout(0);
      answer(socket, text.trim().split(' '), actions);
    };
    socket.on('data', read);
  });
  server.maxConnections = mode === undefined ? MAX_CONNECTIONS : MAX_STRANGERS;
  const release = await bindUnixSocket(server, file, 16, mode === undefined ? {} : { mode });
  server.unref();
  return {
    close() {
      release();
      server.close();
    },
  };
}

function answer(socket: net.Socket, [word, ...rest]: readonly string[], actions: ControlActions): void {
  const say = (what: unknown) => `${JSON.stringify(what)}\n`;
  /** Not just ended: a client that does not end its side would keep its place. */
  const leave = (what: unknown) => {
    socket.write(say(what));
    socket.destroySoon();
  };
  const { stop } = actions;
  if (word === 'stop' && stop) {
    void statusOf(actions).then((status) => {
      socket.write(say(status));
      stop();
    });
    return;
  }
  const asked =
    word === 'status'
      ? statusOf(actions)
      : word === 'check'
        ? actions.check?.()
        : word === 'reload'
          ? actions.reload?.()
          : undefined;
  if (asked) {
    asked.then(leave, () => socket.destroy());
    return;
  }
  if (word === 'job' && actions.job) return void answerJob(rest.join(' '), actions.job).then(leave);
  const [first, second] = rest.map((text) => (/^\d{1,12}$/.test(text) ? Number(text) : null));
  if (word === 'join' && actions.join?.({ idleMs: first ?? 0, parent: second ?? null }))
    return void statusOf(actions).then(leave);
  if (word === 'lease' && actions.lease) return lend(socket, first ?? 0, actions);
  socket.destroy();
}

/** What became of a command about jobs, as its client reads it. */
export type JobAnswer = { readonly result: Json } | { readonly error: string };

async function answerJob(text: string, job: NonNullable<ControlActions['job']>): Promise<JobAnswer> {
  try {
    const [command, args] = JSON.parse(text) as [string, Json];
    return { result: await job(command, args) };
  } catch (error) {
    return { error: clientMessage(error) };
  }
}

/** A lease lasts as long as its connection, or until it is returned. */
function lend(socket: net.Socket, pid: number, actions: ControlActions): void {
  const held = actions.lease!(pid, () => socket.write(`${STOPPED}\n`));
  if (!held) return void socket.destroy();
  let given = false;
  const release = () => {
    if (given) return;
    given = true;
    // The client that returned the last lease waits for the end of the process.
    if (held.release() === 'kept') socket.end();
  };
  socket.on('data', release).on('close', release);
  void statusOf(actions).then((status) => socket.write(`${JSON.stringify(status)}\n`));
}

async function statusOf({ status }: ControlActions): Promise<ServerStatus> {
  return status();
}
