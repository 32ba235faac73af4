import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createInsightDesk, type InsightRun } from '../../lib/insights/desk.ts';
import { createLateDesk } from '../../lib/insights/late.ts';
import { InsightFigures } from '../../lib/meter/insight-figures.ts';

const LIMITS = { maxWaiting: 4, timeoutMs: 60_000, keepMs: 60_000 };
const asker = (address: string | null = null) => ({ gone: false, address });

/** Work that ends when it is told to. */
function held(name: string) {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun: (run: InsightRun) => void = () => {};
  const running = new Promise<InsightRun>((resolve) => {
    begun = resolve;
  });
  let runs = 0;
  return {
    release,
    running,
    get runs() {
      return runs;
    },
    request: {
      name,
      key: name,
      async work(run: InsightRun) {
        runs++;
        begun(run);
        await released;
        await run.step(1);
        return { name };
      },
    },
  };
}

const named = (text: string) => (JSON.parse(text) as { name: string }).name;

describe('the desk of insights', () => {
  test('counts what became of each request, and how long those took that were begun', async () => {
    const figures = new InsightFigures();
    const desk = createInsightDesk({ ...LIMITS, maxWaiting: 1 }, figures);
    const [one, two, three] = ['one', 'two', 'three'].map(held);
    const leaver = asker();
    const asked = [desk.ask(asker(), one!.request), desk.ask(asker(), one!.request), desk.ask(leaver, two!.request)];
    await assert.rejects(desk.ask(asker(), three!.request), /wait already/);
    leaver.gone = true;
    await one!.running;
    one!.release();
    await Promise.all(asked.slice(0, 2));
    await assert.rejects(asked[2]!, /has gone/);
    await desk.ask(asker(), one!.request);
    const failing = { name: 'one', key: 'failing', work: () => Promise.reject(new Error('no')) };
    await assert.rejects(desk.ask(asker(), failing));
    const last = desk.ask(asker(), three!.request);
    await three!.running;
    const waits = desk.ask(asker(), two!.request);
    const closing = desk.close();
    three!.release();
    await Promise.all([assert.rejects(last), assert.rejects(waits), closing]);
    const late = createInsightDesk({ ...LIMITS, timeoutMs: 1 }, figures);
    const slow = {
      name: 'slow',
      key: 'slow',
      work: ({ signal }: InsightRun) => once(signal, 'abort').then(() => ({})),
    };
    const step = {
      ...slow,
      work: async (run: InsightRun) =>
        slow
          .work(run)
          .then(() => run.step(1))
          .then(() => ({})),
    };
    await assert.rejects(late.ask(asker(), step), /took longer/);
    const found = [...figures.insights].map(([name, { asked: all, seconds }]) => [
      name,
      Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0)),
      seconds.count,
    ]);
    assert.deepEqual(Object.fromEntries(found.map(([name, ...rest]) => [name, rest])), {
      one: [{ done: 1, kept: 2, failed: 1 }, 2],
      two: [{ abandoned: 2 }, 1],
      three: [{ refused: 1, abandoned: 1 }, 1],
      slow: [{ timeout: 1 }, 1],
    });
  });

  test('works one out at a time, in the order they were asked for', async () => {
    const desk = createInsightDesk(LIMITS);
    const [one, two] = [held('one'), held('two')];
    const first = desk.ask(asker(), one.request);
    const second = desk.ask(asker(), two.request);
    await one.running;
    assert.equal(two.runs, 0);
    assert.deepEqual([desk.state.running?.name, desk.state.waiting], ['one', 1]);
    one.release();
    assert.equal(named(await first), 'one');
    await two.running;
    two.release();
    assert.equal(named(await second), 'two');
    await desk.close();
    assert.deepEqual(desk.state, { running: null, waiting: 0 });
  });

  test('holds no more of those who hang up than of those who wait', async () => {
    const desk = createInsightDesk(LIMITS);
    const one = held('one');
    const answers = [desk.ask(asker(), one.request)];
    await one.running;
    for (let i = 0; i < 1000; i++) {
      const client = asker();
      void desk.ask(client, one.request);
      client.gone = true;
    }
    for (let i = 0; i < 100; i++) answers.push(desk.ask(asker(), one.request));
    const { askers } = desk.state.running!;
    assert.ok(askers >= 101 && askers < 300, `${askers}`);
    one.release();
    for (const answer of answers) assert.equal(named(await answer), 'one');
    await desk.close();
  });

  test('gives others turns while it writes a long answer', async () => {
    const desk = createInsightDesk(LIMITS);
    const names = Array.from({ length: 1000 }, (_, i) => `${i}${'é'.repeat(1000)}`);
    let turns = 0;
    let isOver = false;
    const work = async () => {
      const count = () => {
        turns++;
        if (!isOver) setImmediate(count);
      };
      count();
      return { names };
    };
    const text = await desk.ask(asker(), { name: 'long', key: 'long', work });
    isOver = true;
    assert.deepEqual((JSON.parse(text) as { names: string[] }).names, names);
    assert.ok(turns > 50, `${turns} turns`);
    await desk.close();
  });

  test('works equal ones out once, for those that wait and for those that come soon after', async () => {
    const desk = createInsightDesk(LIMITS);
    const one = held('one');
    const answers = [desk.ask(asker(), one.request), desk.ask(asker(), one.request)];
    await one.running;
    answers.push(desk.ask(asker(), one.request));
    one.release();
    const texts = await Promise.all(answers);
    assert.equal(new Set([...texts, await desk.ask(asker(), one.request)]).size, 1);
    assert.equal(one.runs, 1);
  });

  test('ends one when everybody who asked has gone, and goes on with the next', async () => {
    const desk = createInsightDesk(LIMITS);
    const [one, two] = [held('one'), held('two')];
    const clients = [asker(), asker()];
    const answers = clients.map((client) => desk.ask(client, one.request));
    const second = desk.ask(asker(), two.request);
    const { signal } = await one.running;
    clients[0]!.gone = true;
    clients[1]!.gone = true;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    one.release();
    for (const answer of answers) await assert.rejects(answer, /the client has gone/);
    await two.running;
    two.release();
    assert.equal(named(await second), 'two');
  });

  test('ends one that takes too long, and says which option says so', async () => {
    const desk = createInsightDesk({ ...LIMITS, timeoutMs: 1 });
    const one = held('one');
    const answer = desk.ask(asker(), one.request);
    const { signal } = await one.running;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    one.release();
    await assert.rejects(answer, /insight one took longer than 0.001 s \(--insight-timeout\)/);
  });

  test('refuses who would wait as one too many, and nobody else for what one address asks', async () => {
    const desk = createInsightDesk(LIMITS);
    const running = held('running');
    const first = desk.ask(asker(), running.request);
    await running.running;
    const others = Array.from({ length: 6 }, (_, i) => held(`w${i}`));
    const waiting = [0, 1].map((i) => desk.ask(asker('10.0.0.1'), others[i]!.request));
    await assert.rejects(
      desk.ask(asker('10.0.0.1'), others[2]!.request),
      /2 insights wait already \(--max-waiting-insights\)/,
    );
    waiting.push(desk.ask(asker('10.0.0.2'), others[3]!.request), desk.ask(asker(), others[4]!.request));
    await assert.rejects(desk.ask(asker(), others[5]!.request), /4 insights wait already/);
    for (const each of others) each.release();
    running.release();
    await Promise.all([first, ...waiting]);
  });

  test('gives the place of one who has gone to the next', async () => {
    const desk = createInsightDesk({ ...LIMITS, maxWaiting: 1 });
    const [running, left, next] = [held('running'), held('left'), held('next')];
    const first = desk.ask(asker(), running.request);
    await running.running;
    const leaver = asker();
    const never = desk.ask(leaver, left.request);
    leaver.gone = true;
    const third = desk.ask(asker(), next.request);
    await assert.rejects(never, /not begun/);
    running.release();
    next.release();
    assert.equal(named(await third), 'next');
    await first;
    assert.equal(left.runs, 0);
  });

  test('keeps no failure, and tells everybody who waits of it', async () => {
    const desk = createInsightDesk(LIMITS);
    let fails = true;
    const request = {
      name: 'one',
      key: 'one',
      async work() {
        if (fails) throw new Error('no luck');
        return { name: 'one' };
      },
    };
    const answers = [desk.ask(asker(), request), desk.ask(asker(), request)];
    for (const answer of answers) await assert.rejects(answer, /no luck/);
    fails = false;
    assert.equal(named(await desk.ask(asker(), request)), 'one');
  });

  for (const [what, create] of [
    ['one', createInsightDesk],
    ['one that is loaded late', createLateDesk],
  ] as const) {
    test(`that closes ends what runs and refuses the rest: ${what}`, async () => {
      const desk = create(LIMITS);
      const [one, two] = [held('one'), held('two')];
      const answers = [desk.ask(asker(), one.request), desk.ask(asker(), two.request)];
      const refused = answers.map((answer) => assert.rejects(answer, /the server is stopping/));
      await one.running;
      const closed = desk.close();
      one.release();
      await Promise.all([closed, ...refused]);
      await assert.rejects(desk.ask(asker(), two.request), /the server is stopping/);
      assert.equal(two.runs, 0);
    });
  }
});
