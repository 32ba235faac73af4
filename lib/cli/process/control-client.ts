import type net from 'node:net';
import { connectUnixSocket } from '../../asyncrpc/transport/unix/path.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { AddressError, ConfigError, InvokeError } from '../../errors.ts';
import type { TakenOver } from '../../server.ts';
import { type Build, type JobAnswer, RELEASE, type ServerStatus, STOPPED } from './control.ts';

/** Much longer than a server on this machine takes to answer. */
const ANSWER_MS = 5000;
/** A check waits for the lock of a database, which may take 10 s. */
const CHECK_MS = 20_000;

/** The status that the server on a control socket reports; null when there is none. */
export async function askStatus(file: string): Promise<ServerStatus | null> {
  return read(await ask(file, 'status', ANSWER_MS, true));
}

/**
 * Asks the server on that control socket to stop, and waits until its process has ended.
 * @returns the status it reported; null when there is none
 */
export async function askStop(file: string, timeoutMs: number): Promise<ServerStatus | null> {
  return read(await ask(file, 'stop', timeoutMs, false));
}

/** The faults of the server there, or null when none answers. */
export async function askCheck(file: string): Promise<readonly string[] | null> {
  return read(await ask(file, 'check', CHECK_MS, true));
}

/** Has the server there read its settings again; null when none answers, or one that does not do that for us. */
export async function askReload(file: string): Promise<TakenOver | null> {
  return read(await ask(file, 'reload', CHECK_MS, true));
}

/**
 * Runs a command about jobs on the server there.
 * @throws InvokeError when it is refused, AddressError when nobody answers
 */
export async function askJobs(file: string, command: string, args: Json): Promise<Json> {
  const answer = read<JobAnswer>(await ask(file, `job ${JSON.stringify([command, args])}`, CHECK_MS, true));
  if (!answer) throw new AddressError('the server did not answer: it is stopping, or older than this and has no jobs');
  if ('error' in answer) throw new InvokeError(answer.error);
  return answer.result;
}

/** Tells a private server that a build was given its addresses; null when there is none, or it is about to end. */
export async function joinServer(file: string, { idleMs, parent }: Build): Promise<ServerStatus | null> {
  return read(await ask(file, `join ${idleMs} ${parent ?? '-'}`, ANSWER_MS, true));
}

/** A lease: the private server runs at least as long as this is held. */
export interface HeldLease {
  readonly status: ServerStatus;
  /** How the lease ended: by `release`, because somebody stopped the server, or because the server died. */
  readonly ended: Promise<'released' | 'stopped' | 'lost'>;
  /** Returns the lease. If it was the last one, waits until the server has ended, at most for this long. */
  release(timeoutMs: number): Promise<void>;
}

/**
 * Leases the private server on a control socket.
 * @param pid the process it is held for
 * @returns null when there is none, or it is about to end
 */
export async function holdLease(file: string, pid: number): Promise<HeldLease | null> {
  const socket = connectUnixSocket(file);
  let text = '';
  let released = false;
  socket.setEncoding('utf8');
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => {}));
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.includes('\n')) resolve();
    });
  });
  socket.on('connect', () => socket.write(`lease ${pid}\n`));
  await within(Promise.race([answered, closed]), ANSWER_MS, socket, file);
  const status = read<ServerStatus>(text.slice(0, text.indexOf('\n') + 1));
  if (!status) return null;
  // The holder may end without returning the lease: the server notices.
  socket.unref();
  return {
    status,
    ended: closed.then(() => (released ? 'released' : text.includes(`\n${STOPPED}\n`) ? 'stopped' : 'lost')),
    async release(timeoutMs) {
      released = true;
      if (socket.destroyed) return;
      socket.ref();
      socket.write(`${RELEASE}\n`);
      await within(closed, timeoutMs, socket, file);
    },
  };
}

/** @param untilLine whether the answer is a line, or the end of the connection */
async function ask(file: string, word: string, timeoutMs: number, untilLine: boolean): Promise<string> {
  const socket = connectUnixSocket(file);
  let text = '';
  socket.setEncoding('utf8');
  const answered = new Promise<void>((resolve) => {
    socket.on('connect', () => socket.write(`${word}\n`));
    socket.on('data', (piece: string) => {
      text += piece;
      if (untilLine && text.includes('\n')) resolve();
    });
    socket.on('close', () => resolve()).on('error', () => resolve());
  });
  await within(answered, timeoutMs, socket, file);
  socket.destroy();
  return text;
}

async function within(done: Promise<void>, timeoutMs: number, socket: net.Socket, file: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      socket.destroy();
      reject(new ConfigError(`the server on ${file} did not answer or end within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Null if the server ended before its answer was complete, or if something else listens there. */
function read<T>(text: string): T | null {
  try {
    return text.endsWith('\n') ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
