import { setImmediate } from 'node:timers/promises';
import { encodePieces, type Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import { InsightFigures } from '../meter/insight-figures.ts';

/** How much a server does for those who ask for insights. */
export interface InsightLimits {
  /** Requests that wait for others; more are refused. */
  readonly maxWaiting: number;
  /** An insight that takes longer is ended. */
  readonly timeoutMs: number;
  /** How long an answer is given to all who ask the same. */
  readonly keepMs: number;
}

/** A client, as long as it waits. */
export interface InsightAsker {
  /** It has hung up. */
  readonly gone: boolean;
  /** Where it asks from; null on a Unix socket. */
  readonly address: string | null;
}

/** What an insight knows of its own run. */
export interface InsightRun {
  /** Aborted when nobody waits any more or the time is over: a statement that runs is then interrupted. */
  readonly signal: AbortSignal;
  /**
   * Called between slices, so that clients are answered in between.
   * @param share how much is done, from 0 to 1
   * @throws the reason when it is to end
   */
  step(share: number): Promise<void>;
}

export interface InsightRequest {
  readonly name: string;
  /** Equal requests have an equal key, and others another. */
  readonly key: string;
  work(run: InsightRun): Promise<{ readonly [key: string]: Json }>;
}

/** What is worked out at the moment. */
export interface InsightState {
  readonly running: {
    readonly name: string;
    readonly share: number;
    readonly seconds: number;
    /** Who wait for it, and maybe some that have hung up. */
    readonly askers: number;
  } | null;
  readonly waiting: number;
}

/** Where insights are asked for: one is worked out at a time, and equal ones once. */
export interface InsightDesk {
  /** Resolves to the answer as JSON. @throws InvokeError when too many wait, or it took too long */
  ask(asker: InsightAsker, request: InsightRequest): Promise<string>;
  readonly state: InsightState;
  /** Ends what runs, and refuses the rest. Resolves when nothing reads any more. May be called again. */
  close(): Promise<void>;
}

interface Task {
  readonly request: InsightRequest;
  askers: InsightAsker[];
  /** With so many it is looked which of them have gone. */
  mostAskers: number;
  readonly stop: AbortController;
  readonly answer: Promise<string>;
  settle(answer: Promise<string>): void;
  /** Null while it waits. */
  startedAt: number | null;
  share: number;
}

/** How often it is looked whether somebody still waits. */
const LOOK_MS = 100;
const FEW_ASKERS = 64;
/** The most answers kept, of at most so many characters each: about 16 MB. */
const MAX_KEPT = 8;
const MAX_KEPT_CHARS = 2 << 20;

export function createInsightDesk(limits: InsightLimits, figures = new InsightFigures()): InsightDesk {
  const { maxWaiting, timeoutMs, keepMs } = limits;
  const waiting: Task[] = [];
  const kept = new Map<string, { readonly text: string; readonly until: number }>();
  let running: Task | null = null;
  let working: Promise<void> | null = null;
  let closed = false;

  async function work(): Promise<void> {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      running = task;
      const done = run(task);
      task.settle(done);
      await done.catch(() => {});
      running = null;
    }
    working = null;
  }

  async function run(task: Task): Promise<string> {
    const { request, stop } = task;
    const { signal } = stop;
    const started = performance.now();
    task.startedAt = started;
    let isLate = false;
    const look = () => {
      if (task.askers.every(({ gone }) => gone))
        stop.abort(new InvokeError('the client has gone: its insight was ended'));
      else if (performance.now() - started > timeoutMs) {
        isLate = true;
        stop.abort(tooLong(request.name, timeoutMs));
      }
    };
    const timer = setInterval(look, LOOK_MS);
    try {
      look();
      signal.throwIfAborted();
      const found = await request.work({
        signal,
        async step(share) {
          task.share = share;
          signal.throwIfAborted();
          // One turn of the event loop at least, even where everything was read without waiting.
          await setImmediate();
        },
      });
      const seconds = Math.round(performance.now() - started) / 1000;
      const text = await encoded({ ...found, made: new Date().toISOString(), seconds });
      keep(request.key, text);
      figures.count(request.name, 'done');
      return text;
    } catch (error) {
      figures.count(request.name, isLate ? 'timeout' : signal.aborted ? 'abandoned' : 'failed');
      // What was interrupted fails in its own words.
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearInterval(timer);
      figures.took(request.name, (performance.now() - started) / 1000);
    }
  }

  function keep(key: string, text: string): void {
    if (keepMs === 0 || text.length > MAX_KEPT_CHARS) return;
    kept.delete(key);
    kept.set(key, { text, until: performance.now() + keepMs });
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(oldest);
    }
  }

  function known(key: string): string | null {
    const now = performance.now();
    for (const [each, { until }] of kept) if (until <= now) kept.delete(each);
    return kept.get(key)?.text ?? null;
  }

  /** It waited, and is not begun. */
  function abandon({ request, settle }: Task, why: InvokeError): void {
    figures.count(request.name, 'abandoned');
    settle(Promise.reject(why));
  }

  /** Refuses who would be one too many: of all, or of one address, which has half of the places at most. */
  function requireRoom(name: string, { address }: InsightAsker): void {
    for (let i = waiting.length - 1; i >= 0; i--) {
      const { askers } = waiting[i]!;
      if (!askers.every(({ gone }) => gone)) continue;
      abandon(waiting.splice(i, 1)[0]!, gaveUp());
    }
    const own = address === null ? 0 : waiting.filter(({ askers }) => askers[0]!.address === address).length;
    if (waiting.length < maxWaiting && own < Math.max(1, maxWaiting / 2)) return;
    figures.count(name, 'refused');
    throw new InvokeError(
      `${waiting.length} insights wait already (--max-waiting-insights): ask again later`,
      undefined,
      'unavailable',
    );
  }

  return {
    async ask(asker, request) {
      if (closed) throw stopping();
      const answer = known(request.key);
      if (answer !== null) {
        figures.count(request.name, 'kept');
        return answer;
      }
      const same = [running, ...waiting].find((task) => task?.request.key === request.key && !task.stop.signal.aborted);
      if (same) {
        join(same, asker);
        figures.count(request.name, 'kept');
        return same.answer;
      }
      requireRoom(request.name, asker);
      const task = newTask(asker, request);
      waiting.push(task);
      working ??= work();
      return task.answer;
    },
    get state() {
      const now = performance.now();
      return {
        running: running && {
          name: running.request.name,
          share: running.share,
          seconds: Math.round(now - (running.startedAt ?? now)) / 1000,
          askers: running.askers.length,
        },
        waiting: waiting.length,
      };
    },
    async close() {
      closed = true;
      for (const task of waiting.splice(0)) abandon(task, stopping());
      running?.stop.abort(stopping());
      await working;
    },
  };
}

/** With turns for others: names that somebody made up may come to tens of megabytes. */
async function encoded(answer: Json): Promise<string> {
  const pieces: string[] = [];
  for (const piece of encodePieces(answer)) {
    pieces.push(piece);
    await setImmediate();
  }
  return pieces.join('');
}

function newTask(asker: InsightAsker, request: InsightRequest): Task {
  let settle: Task['settle'] = () => {};
  const answer = new Promise<string>((resolve) => {
    settle = resolve;
  });
  // Nobody need be left to hear of it.
  answer.catch(() => {});
  return {
    request,
    askers: [asker],
    mostAskers: FEW_ASKERS,
    stop: new AbortController(),
    answer,
    settle,
    startedAt: null,
    share: 0,
  };
}

/** One more waits for it. Somebody may ask and hang up thousands of times a second: those who have gone do not add up. */
function join(task: Task, asker: InsightAsker): void {
  task.askers.push(asker);
  if (task.askers.length < task.mostAskers) return;
  task.askers = task.askers.filter(({ gone }) => !gone);
  task.mostAskers = Math.max(FEW_ASKERS, 2 * task.askers.length);
}

const stopping = () => new InvokeError('the server is stopping', undefined, 'unavailable');
const gaveUp = () => new InvokeError('the client has gone: its insight was not begun');
const tooLong = (name: string, timeoutMs: number) =>
  new InvokeError(
    `insight ${name} took longer than ${timeoutMs / 1000} s (--insight-timeout) and was ended`,
    undefined,
    'unavailable',
  );
