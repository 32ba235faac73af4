import { type ChildProcess, spawn } from 'node:child_process';
import type net from 'node:net';
import { BakeservError } from '../errors.ts';
import {
  type DoorNotice,
  type DoorReport,
  errorFrom,
  type FromWorker,
  type Question,
  type SentError,
  sentError,
  type ToWorker,
  type Wishes,
} from './messages.ts';

/** A client that was accepted and that no worker serves yet. */
export interface Newcomer {
  readonly id: number;
  readonly socket: net.Socket;
  /** Which listener it came by. */
  readonly door: number;
  /** What it is counted by (`Places`). */
  readonly place: string | null;
}

/** What a worker tells whoever leads it. */
export interface WorkerListener {
  /** Its databases are open. */
  opened(worker: WorkerProcess): void;
  ready(worker: WorkerProcess, doors: readonly DoorReport[]): void;
  refused(worker: WorkerProcess, error: SentError): void;
  failed(worker: WorkerProcess, error: SentError): void;
  /** Clients have gone, with the places they had. */
  gone(places: readonly (string | null)[]): void;
  asked(worker: WorkerProcess, what: Question, value: unknown): Promise<unknown>;
  /** @param how in words, for the log */
  ended(worker: WorkerProcess, how: string, untaken: readonly Newcomer[]): void;
}

/** How long a worker may leave a client waiting before others get those that come. */
const LATE_MS = 1000;

/** A worker, as the process that leads it sees it. */
export class WorkerProcess {
  readonly number: number;
  /** It takes clients. */
  isReady = false;
  /** By `performance.now()`; null until then. */
  readyAt: number | null = null;
  private readonly child: ChildProcess;
  private readonly listener: WorkerListener;
  /** Its clients, each with its place. */
  private readonly clients = new Map<number, string | null>();
  /** Those it has not taken yet, in the order they were handed over. */
  private readonly untaken: (Newcomer & { readonly since: number })[] = [];
  private readonly answers = new Map<number, (answer: Extract<FromWorker, { kind: 'answer' }> | null) => void>();
  private lastId = 0;
  /** Beats since it was asked for a sign of life that it has not given. */
  private beats = 0;
  private hasEnded = false;

  /** @param command the program that serves as a worker, with its arguments */
  constructor(number: number, command: readonly string[], listener: WorkerListener) {
    this.number = number;
    this.listener = listener;
    const [program, ...args] = command;
    this.child = spawn(program!, [...args, String(number)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.child.on('message', (message: FromWorker) => this.heard(message));
    this.child.once('exit', (status, signal) => this.end(signal ? `ended by ${signal}` : `with status ${status}`));
    this.child.once('error', (error) => this.end(`it cannot be started: ${error.message}`));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** How many clients it has. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * Asks for a sign of life, unless it still owes one. To be called regularly: time is counted by these calls, not by a clock. When
   * all processes have slept, the one that leads must not find the others late before it has heard them.
   * @returns how many calls in a row have found it silent
   */
  beat(): number {
    if (this.beats++ === 0) this.send({ kind: 'ping' });
    return this.beats - 1;
  }

  /** It owes a sign of life. */
  get isSilent(): boolean {
    return this.beats > 0;
  }

  /** Whether it takes its clients in time. */
  isPrompt(now: number): boolean {
    if (this.beats > 1) return false;
    return this.untaken.length === 0 || now - this.untaken[0]!.since < LATE_MS;
  }

  start(message: Omit<Extract<ToWorker, { kind: 'start' }>, 'kind' | 'worker'>): void {
    this.send({ kind: 'start', worker: this.number, ...message });
  }

  tellListeners(list: readonly DoorNotice[], inherited: boolean): void {
    this.send({ kind: 'listeners', list, inherited });
  }

  /** Hands a client over. Our own copy of its socket stays open until the worker has it, so that none is lost with the worker. */
  take(client: Newcomer): void {
    this.clients.set(client.id, client.place);
    this.untaken.push({ ...client, since: performance.now() });
    // Otherwise Node keeps account of it with the server that accepted it, in both processes, for good.
    Reflect.set(client.socket, 'server', null);
    const message: ToWorker = { kind: 'client', id: client.id, door: client.door };
    // Whatever goes wrong, the end of the process tells.
    this.child.send(message, client.socket, { keepOpen: true }, () => {});
  }

  /**
   * Asks it something.
   * @throws BakeservError when it does not answer in time, or ended; its own error
   */
  ask<Wish extends keyof Wishes>(what: Wish, value: Wishes[Wish], timeoutMs: number): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.answers.get(id)?.(null), timeoutMs);
      this.answers.set(id, (answer) => {
        clearTimeout(timer);
        this.answers.delete(id);
        if (!answer) reject(new BakeservError('worker-error', `worker ${this.number} did not answer`));
        else if (answer.error) reject(errorFrom(answer.error));
        else resolve(answer.value);
      });
      this.send({ kind: 'ask', id, what, value });
    });
  }

  stop(): void {
    this.isReady = false;
    this.send({ kind: 'stop' });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private send(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  private heard(message: FromWorker): void {
    const { listener } = this;
    this.beats = 0;
    if (message.kind === 'clients') this.account(message.taken, message.gone);
    else if (message.kind === 'answer') this.answers.get(message.id)?.(message);
    else if (message.kind === 'opened') listener.opened(this);
    else if (message.kind === 'ready') listener.ready(this, message.doors);
    else if (message.kind === 'ask') void this.reply(message.id, message.what, message.value);
    else if (message.kind !== 'pong') listener[message.kind](this, message.error);
  }

  private async reply(id: number, what: Question, value: unknown): Promise<void> {
    try {
      this.send({ kind: 'answer', id, value: await this.listener.asked(this, what, value), error: null });
    } catch (error) {
      this.send({ kind: 'answer', id, value: null, error: sentError(error) });
    }
  }

  private account(taken: number, gone: readonly number[]): void {
    for (const { socket } of this.untaken.splice(0, taken)) socket.destroy();
    const places = gone.map((id) => this.clients.get(id) ?? null);
    for (const id of gone) this.clients.delete(id);
    if (places.length > 0) this.listener.gone(places);
  }

  private end(how: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.isReady = false;
    for (const answer of [...this.answers.values()]) answer(null);
    for (const { id } of this.untaken) this.clients.delete(id);
    this.listener.gone([...this.clients.values()]);
    this.clients.clear();
    this.listener.ended(this, how, this.untaken.splice(0));
  }
}
