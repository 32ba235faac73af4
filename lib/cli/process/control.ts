import net from 'node:net';
import { bindUnixSocket } from '../../asyncrpc/transport/unix/socket.ts';

/** What a running server says of itself. */
export interface ServerStatus {
  /** The command that started it: `serve`, `auto`, `bitbake-prserv`, … */
  readonly command: string;
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly version: string;
  readonly addresses: readonly string[];
  readonly databases: { readonly hashserv: string | null; readonly prserv: string | null };
  readonly clients: number;
  readonly upstreams: { readonly hashserv: string | null; readonly prserv: string | null };
}

/** What those who lease a server hold of it. */
export interface Lease {
  /** Given back. Whether others keep the server. */
  release(): 'kept' | 'ends';
}

/** What a control socket can have done; what is absent is refused by hanging up. */
export interface ControlActions {
  status(): ServerStatus;
  stop?(): void;
  /** What is wrong with the server, in a line each; nothing when all is well. */
  check?(): Promise<readonly string[]>;
  /** A build was handed the addresses. False when the server is about to end. */
  join?(build: Build): boolean;
  /** A process needs the server for as long as it holds the connection. Null when the server is about to end. */
  lease?(pid: number, onStop: () => void): Lease | null;
}

/** A build that uses a private server without holding a connection to it. */
export interface Build {
  /** It is over after this long without any client; 0: never. */
  readonly idleMs: number;
  /** A process that it is over with, or null. */
  readonly parent: number | null;
}

/** The other end of control-client.ts. */
export interface Control {
  /** Answers no more. Those who wait for the end keep waiting: for them the end of the process is the answer. */
  close(): void;
}

/** What a lease is told when somebody asked for the server's end: then it is not started again. */
export const STOPPED = 'stopped';
export const RELEASE = 'release';

/** Longer than any word there is. */
const MAX_WORD_BYTES = 256;
/** Every user may ask a service: nobody there takes its descriptors, by connecting often or saying nothing. */
const MAX_CONNECTIONS = 256;
const WORD_MS = 10_000;

/**
 * Listens on a socket file of this server's own. Whoever can connect knows that the server lives and which process it
 * is: no process number in a file is believed.
 * @param mode who may connect; without it the user alone who may use the folder
 * @throws AddressError when another server answers there already
 */
export async function openControl(file: string, actions: ControlActions, mode?: number): Promise<Control> {
  const server = net.createServer((socket) => {
    // Nobody who asks keeps a server that is done from ending.
    socket.unref();
    socket.on('error', () => {});
    let text = '';
    socket.setTimeout(WORD_MS, () => socket.destroy());
    const read = (piece: Buffer) => {
      text += piece;
      if (text.length > MAX_WORD_BYTES) return socket.destroy();
      if (!text.includes('\n')) return;
      socket.off('data', read).setTimeout(0);
      answer(socket, text.trim().split(' '), actions);
    };
    socket.on('data', read);
  });
  server.maxConnections = MAX_CONNECTIONS;
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
  if (word === 'status') return void socket.end(say(actions.status()));
  if (word === 'stop' && actions.stop) {
    socket.write(say(actions.status()));
    return actions.stop();
  }
  if (word === 'check' && actions.check) {
    actions.check().then(
      (faults) => socket.end(say(faults)),
      () => socket.destroy(),
    );
    return;
  }
  const [first, second] = rest.map((text) => (/^\d{1,12}$/.test(text) ? Number(text) : null));
  if (word === 'join' && actions.join?.({ idleMs: first ?? 0, parent: second ?? null }))
    return void socket.end(say(actions.status()));
  if (word === 'lease' && actions.lease) return lend(socket, first ?? 0, actions);
  socket.destroy();
}

/** The lease lasts as long as the connection, or until it is given back. */
function lend(socket: net.Socket, pid: number, { status, lease }: ControlActions): void {
  const held = lease!(pid, () => socket.write(`${STOPPED}\n`));
  if (!held) return void socket.destroy();
  let given = false;
  const release = () => {
    if (given) return;
    given = true;
    // Who gave back the last one waits for the end of the process.
    if (held.release() === 'kept') socket.end();
  };
  socket.on('data', release).on('close', release);
  socket.write(`${JSON.stringify(status())}\n`);
}
