import { setImmediate } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Mirror } from './mirror.ts';
import { candidateNames, type NameRule } from './object-name.ts';
import type { Survey } from './survey.ts';

/** Unihashes that wait for their turn: a list of all of them would take more than they do. */
const WAITING = 256;
/** Unihashes that need not be asked for until others get a turn. */
const A_TURN = 4096;

export interface MirrorFigures {
  readonly requests: number;
  /** Unihashes looked for in this run, and those whose answer of an earlier one is still good. */
  readonly asked: number;
  readonly remembered: number;
  /** Too little is known of them to make up a name. */
  readonly nameless: number;
  /** Those without an answer: the mirror failed, or no request was left for them. */
  readonly unanswered: number;
  /** Why the mirror is no longer asked, or has never answered; or null. */
  readonly stopped: string | null;
}

export interface MirrorRun {
  readonly rule: NameRule;
  readonly atOnce: number;
  readonly onUnihash?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** Asks a mirror for the objects of a survey's unihashes: those that were never asked for first, then the oldest answers. */
export async function surveyMirror(survey: Survey, mirror: Mirror, run: MirrorRun): Promise<MirrorFigures> {
  const { known, packages, now } = survey;
  const queue = new PQueue({ concurrency: run.atOnce });
  let [asked, remembered, nameless, unanswered] = [0, 0, 0, 0];
  let failure: unknown = null;

  async function look(number: number): Promise<void> {
    const fields = { unihash: known.unihash(number), ...packages.get(known.get(number, 'package')) };
    const names = candidateNames(fields, run.rule);
    run.onUnihash?.();
    if (names.length === 0) {
      nameless++;
      forget(number);
      return;
    }
    const there = await mirror.has(names);
    if (there === null) {
      // An older answer is kept: since when an object is missing must not be lost.
      unanswered++;
      return;
    }
    asked++;
    known.set(number, 'askedAt', now);
    if (there) survey.foundObject(fields.unihash);
    else survey.noteMissing(number);
  }

  function forget(number: number): void {
    known.set(number, 'askedAt', 0);
    known.set(number, 'missingSince', 0);
  }

  for await (const number of inOrder(survey, () => remembered++)) {
    run.signal?.throwIfAborted();
    if (failure !== null) break;
    await queue.onSizeLessThan(WAITING);
    void queue.add(() =>
      look(number).catch((error: unknown) => {
        failure ??= error;
      }),
    );
  }
  await queue.onIdle();
  if (failure !== null) throw failure;
  return { requests: mirror.requests, asked, remembered, nameless, unanswered, stopped: mirror.stopped };
}

/** The unihashes that must be asked for. What is remembered of the others is taken as it is. */
async function* inOrder({ known, now, maxAge }: Survey, onRemembered: () => void): AsyncGenerator<number> {
  /** By the hour of their answers: to sort a million of them would take seconds. */
  const old = new Map<number, number[]>();
  for (let number = 0; number < known.size; number++) {
    if (number % A_TURN === 0) await setImmediate();
    const askedAt = known.get(number, 'askedAt');
    if (askedAt === 0) yield number;
    else if (askedAt < now - maxAge || askedAt > now) {
      const hour = Math.floor(askedAt / 3600);
      const others = old.get(hour);
      if (others) others.push(number);
      else old.set(hour, [number]);
    } else {
      onRemembered();
      if (known.get(number, 'missingSince') === 0) known.setPresent(number);
    }
  }
  for (const [, numbers] of [...old].sort(([a], [b]) => a - b)) yield* numbers;
}
