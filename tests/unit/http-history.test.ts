import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { shareViews } from '../../lib/http/api/history.ts';
import type { HistoryView, Span } from '../../lib/recorder/view.ts';

/** Figures that say how often they were asked for, and how many of them were worked out with no turn for others in between. */
function counting() {
  let asked = 0;
  let inOneGo = 0;
  let most = 0;
  const all = async (span: Span): Promise<HistoryView> => {
    asked++;
    most = Math.max(most, ++inOneGo);
    void setImmediate().then(() => {
      inOneGo = 0;
    });
    if (span === 'month') throw new Error('none of a month');
    return { span, bucket_seconds: asked, from: '', to: '', recorded_since: null, times: [], series: {} };
  };
  return { all, asked: () => asked, most: () => most };
}

describe('views of figures over time', () => {
  test('for which many ask at once are worked out once for each span, one at a time, with turns for others', async () => {
    const history = counting();
    const view = shareViews(history);
    const spans: readonly Span[] = ['hour', 'day', 'hour', 'day', 'hour'];
    const texts = await Promise.all(spans.map(async (span) => JSON.parse((await view(span)).text).span));
    assert.deepEqual(texts, spans);
    assert.equal(history.asked(), 2);
    assert.equal(history.most(), 1);
  });

  test('have all that was counted before they were asked for, also while one is being worked out', async () => {
    const history = counting();
    const view = shareViews({
      async all(span) {
        const found = await history.all(span);
        // Asked for while this is worked out: it would lack what was counted meanwhile.
        if (history.asked() === 1) second = view('hour');
        return found;
      },
    });
    let second = null as ReturnType<typeof view> | null;
    assert.equal(JSON.parse((await view('hour')).text).bucket_seconds, 1);
    assert.equal(JSON.parse((await second!).text).bucket_seconds, 2);
  });

  test('that fail do so for those who asked, and not for the next', async () => {
    const history = counting();
    const view = shareViews(history);
    const failing = [view('month'), view('month')];
    for (const each of failing) await assert.rejects(each, /none of a month/);
    assert.equal(JSON.parse((await view('hour')).text).span, 'hour');
  });
});
