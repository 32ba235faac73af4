import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { History } from '../../recorder/recorder.ts';
import { SPANS, spanOf } from '../../recorder/view.ts';
import { type Caller, USERS } from './call.ts';

const PRS = 'PRSERVICE';

/** Behind the question mark. */
export const SPAN = { span: { type: 'string', enum: SPANS, default: 'hour' } };

/** Answers with the figures of the server over time, for whoever may ask how it is. */
export function createHistory(history: History) {
  return async (caller: Caller, { span = 'hour' }: Readonly<Record<string, string>>): Promise<Json> => {
    // Refused by the service itself, and counted there.
    if (caller.speaks(USERS)) await caller.run(USERS, 'get-stats', {}, () => null);
    else await caller.run(PRS, 'is-readonly', {}, () => null);
    return (await history.all(spanOf(span))) as unknown as Json;
  };
}
