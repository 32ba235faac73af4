import { InvokeError } from '../errors.ts';
import { InsightFigures } from '../meter/insight-figures.ts';
import type { InsightDesk, InsightLimits } from './desk.ts';

/** Those of the options (lib/settings/work-settings.ts). */
export const DEFAULT_INSIGHT_LIMITS: InsightLimits = { maxWaiting: 8, timeoutMs: 60_000, keepMs: 30_000 };

/** A desk of which nothing is loaded before the first insight is asked for: every server should start fast. */
export function createLateDesk(limits: InsightLimits, figures = new InsightFigures()): InsightDesk {
  let loaded: Promise<InsightDesk> | null = null;
  let desk: InsightDesk | null = null;
  let closed = false;

  async function load(): Promise<InsightDesk> {
    desk = (await import('./desk.ts')).createInsightDesk(limits, figures);
    return desk;
  }

  return {
    async ask(asker, request) {
      if (closed) throw new InvokeError('the server is stopping', undefined, 'unavailable');
      loaded ??= load();
      return (await loaded).ask(asker, request);
    },
    get state() {
      return desk?.state ?? { running: null, waiting: 0 };
    },
    async close() {
      closed = true;
      await (await loaded)?.close();
    },
  };
}
