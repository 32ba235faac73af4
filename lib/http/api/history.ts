import { setImmediate } from 'node:timers/promises';
import { EncodedReply } from '../../asyncrpc/service.ts';
import type { History } from '../../recorder/recorder.ts';
import { SPANS, type Span, spanOf } from '../../recorder/view.ts';
import { type Caller, USERS } from './call.ts';

const PRS = 'PRSERVICE';

/** Behind the question mark. */
export const SPAN = { span: { type: 'string', enum: SPANS, default: 'hour' } };

/** Answers with the figures of the server over time, for whoever may ask how it is. */
export function createHistory(history: Pick<History, 'all'>) {
  const view = shareViews(history);
  return async (caller: Caller, { span = 'hour' }: Readonly<Record<string, string>>): Promise<EncodedReply> => {
    // Refused by the service itself, and counted there.
    if (caller.speaks(USERS)) await caller.run(USERS, 'get-stats', {}, () => null);
    else await caller.run(PRS, 'is-readonly', {}, () => null);
    return view(spanOf(span));
  };
}

/**
 * A view is some milliseconds of this thread, and is worked out when all that was counted is there: those of many who ask at once
 * would be worked out in one go, with no turn for any other client. So one is worked out at a time, and whoever has asked for it
 * before that began gets the same.
 */
export function shareViews(history: Pick<History, 'all'>): (span: Span) => Promise<EncodedReply> {
  const waiting = new Map<Span, Promise<EncodedReply>>();
  let last: Promise<unknown> = Promise.resolve();

  async function workOut(span: Span): Promise<EncodedReply> {
    await setImmediate();
    // Whoever comes from here on may have been counted since.
    waiting.delete(span);
    return new EncodedReply(JSON.stringify(await history.all(span)));
  }

  return (span) => {
    const shared = waiting.get(span);
    if (shared) return shared;
    const view = last.then(() => workOut(span));
    waiting.set(span, view);
    last = view.catch(() => {});
    return view;
  };
}
