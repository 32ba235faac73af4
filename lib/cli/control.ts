import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { connectUnixSocket } from '../asyncrpc/unix-path.ts';
import { bindUnixSocket, removeStaleSocket } from '../asyncrpc/unix-socket.ts';
import { ConfigError, errorText } from '../errors.ts';

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

/** The other end of `askStatus` and `askStop`. */
export interface Control {
  /** Answers no more. Those who asked for the end keep waiting: for them the end of the process is the answer. */
  close(): void;
}

/** Well above what a listening socket of this machine needs to be answered. */
const ANSWER_MS = 5000;

/**
 * Listens on a socket file of this server's own. Whoever can connect knows that the server lives and which process it
 * is: no process number in a file is believed.
 * @throws AddressError when another server answers there already
 */
export async function openControl(file: string, status: () => ServerStatus, stop: () => void): Promise<Control> {
  const server = net.createServer((socket) => {
    // Nobody who asks keeps a server that is done from ending.
    socket.unref();
    socket.on('error', () => {});
    socket.once('data', (word) => {
      const line = `${JSON.stringify(status())}\n`;
      if (String(word).trim() !== 'stop') return socket.end(line);
      socket.write(line);
      stop();
    });
  });
  const release = await bindUnixSocket(server, file, 16);
  server.unref();
  return {
    close() {
      release();
      server.close();
    },
  };
}

/** What the server on that control socket says of itself; null when none is there. */
export function askStatus(file: string): Promise<ServerStatus | null> {
  return ask(file, 'status', ANSWER_MS, (text, settle) => {
    if (text.includes('\n')) settle();
  });
}

/**
 * Asks the server on that control socket to stop, and waits until its process has ended.
 * @returns what it said of itself; null when none is there
 */
export function askStop(file: string, timeoutMs: number): Promise<ServerStatus | null> {
  return ask(file, 'stop', timeoutMs, () => {});
}

function ask(
  file: string,
  word: string,
  timeoutMs: number,
  check: (text: string, settle: () => void) => void,
): Promise<ServerStatus | null> {
  return new Promise((resolve, reject) => {
    const socket = connectUnixSocket(file);
    let text = '';
    const settle = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(readStatus(text));
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new ConfigError(`the server on ${file} did not ${word === 'stop' ? 'end' : 'answer'} in time`));
    }, timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${word}\n`));
    socket.on('data', (piece: string) => {
      text += piece;
      check(text, settle);
    });
    socket.on('close', settle);
    socket.on('error', settle);
  });
}

/** Null for a server that ended in mid-word, or something else that listens there. */
function readStatus(text: string): ServerStatus | null {
  try {
    return text.endsWith('\n') ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/**
 * The folder of this user's control sockets, made if need be.
 * @throws ConfigError when somebody else could put things there
 */
export function controlFolder(): string {
  const folder = path.join(os.tmpdir(), `bakeserv-${process.getuid?.() ?? 'user'}`);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(`cannot make the folder ${folder}: ${errorText(error)}`, error);
  }
  const { uid, mode } = fs.lstatSync(folder);
  const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
  if (fs.lstatSync(folder).isDirectory() && ours) return folder;
  throw new ConfigError(`${folder} is not a folder that only this user can write: remove it, or set TMPDIR`);
}

/** Every server of this user that answers, longest running first. Socket files nobody listens on are removed. */
export async function runningServers(): Promise<ServerStatus[]> {
  const folder = controlFolder();
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.sock'));
  const answers = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const status = await askStatus(file).catch(() => undefined);
      if (status === null) await removeStaleSocket(file);
      return status ?? null;
    }),
  );
  const found = new Map(answers.filter((status) => status !== null).map((status) => [status.pid, status]));
  return [...found.values()].sort((a, b) => a.started.localeCompare(b.started));
}
