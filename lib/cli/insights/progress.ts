import { setTimeout as pause } from 'node:timers/promises';
import type { HashClient } from '../../hashserv/client-types.ts';
import { createProgress, type Progress } from '../client/progress.ts';

/** An answer that is there so soon needs no bar. */
const BEGIN_MS = 500;
const LOOK_MS = 250;
const STEPS = 100;

/** A client of either service. */
export type Asked = Pick<HashClient, 'invoke'>;

/** What `insight-status` answers, as far as it is shown. */
interface Status {
  readonly running: { readonly name: string; readonly share: number } | null;
}

export interface FollowOptions {
  readonly isTerminal?: boolean;
  readonly beginMs?: number;
  readonly lookMs?: number;
  readonly show?: (what: string, total: number) => Promise<Progress>;
}

/**
 * Shows on a terminal how far an insight has come until it is answered. With `--workers` the other connection may meet a
 * process that works on nothing, and an older server does not tell: then nothing is shown.
 * @param command `insight-NAME`, which has been sent
 * @param connect opens the connection that is asked how far it is: the one with the insight waits for its answer
 */
export async function followed<T>(
  command: string,
  connect: () => Promise<Asked>,
  answer: Promise<T>,
  options: FollowOptions = {},
): Promise<T> {
  const { isTerminal = process.stderr.isTTY, beginMs = BEGIN_MS, lookMs = LOOK_MS, show = createProgress } = options;
  if (!isTerminal) return answer;
  const over = new AbortController();
  const { signal } = over;
  let bar: Progress | null = null;
  let shown = 0;

  async function follow(): Promise<void> {
    await pause(beginMs, null, { signal });
    const server = await connect();
    for (; !signal.aborted; await pause(lookMs, null, { signal })) {
      const { running } = (await server.invoke('insight-status', {})) as unknown as Status;
      if (signal.aborted || `insight-${running?.name}` !== command) continue;
      bar ??= await show('steps', STEPS);
      const done = Math.floor(STEPS * running!.share);
      if (done > shown) bar.add(done - shown);
      shown = Math.max(shown, done);
    }
  }

  const following = follow().catch(() => {});
  try {
    return await answer;
  } finally {
    over.abort();
    await following;
    (bar as Progress | null)?.stop();
  }
}
