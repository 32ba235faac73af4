import { load } from './processes.ts';
import { planKeys, type Row } from './rows.ts';
import { requestOf, type Setting, withServer } from './run.ts';
import { median } from './statistics.ts';
import { align } from './table.ts';

const EVERY_MS = 500;

/** A row, with and without somebody who scrapes the server. */
export interface Change {
  readonly name: string;
  /** Requests per second. */
  readonly rate: { readonly alone: number; readonly scraped: number };
  /** Of the main thread, for each request, in microseconds. */
  readonly cpuUs: { readonly alone: number; readonly scraped: number };
  /** The median of the pairs, each measured in one moment. */
  readonly rateChange: number;
  readonly cpuChange: number;
  readonly scrapes: number;
}

interface Sample {
  readonly rate: number;
  readonly cpuUs: number;
  readonly scrapes: number;
}

/** Measures each row in pairs; which of a pair comes first changes with each. */
export async function compareScraped(
  rows: readonly Row[],
  repeats: number,
  setting: Setting,
  before: (done: number, total: number, name: string) => void,
): Promise<Change[]> {
  const pairs = new Map<Row, { alone: Sample; scraped: Sample }[]>(rows.map((row) => [row, []]));
  let turn = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const row of rows) {
      const found: Partial<Record<'alone' | 'scraped', Sample>> = {};
      for (const how of repeat % 2 === 0 ? (['alone', 'scraped'] as const) : (['scraped', 'alone'] as const)) {
        before(turn, 2 * repeats * rows.length, `${row.name}, ${how}`);
        found[how] = await measure(row, setting, turn++, how === 'scraped');
      }
      pairs.get(row)!.push(found as { alone: Sample; scraped: Sample });
    }
  }
  return rows.map((row) => summarize(row.name, pairs.get(row)!));
}

function summarize(name: string, pairs: readonly { alone: Sample; scraped: Sample }[]): Change {
  const of = (which: 'alone' | 'scraped', what: 'rate' | 'cpuUs') => median(pairs.map((pair) => pair[which][what]));
  const change = (what: 'rate' | 'cpuUs') => median(pairs.map(({ alone, scraped }) => scraped[what] / alone[what] - 1));
  return {
    name,
    rate: { alone: of('alone', 'rate'), scraped: of('scraped', 'rate') },
    cpuUs: { alone: of('alone', 'cpuUs'), scraped: of('scraped', 'cpuUs') },
    rateChange: change('rate'),
    cpuChange: change('cpuUs'),
    scrapes: pairs.reduce((sum, { scraped }) => sum + scraped.scrapes, 0),
  };
}

/** Both have the listener: only the scraping differs. */
function measure(row: Row, setting: Setting, turn: number, isScraped: boolean): Promise<Sample> {
  const plan = planKeys(row, setting.hashes, turn, setting.scale);
  return withServer(
    setting,
    async (server) => {
      const ask = (keys: typeof plan.warm) => load(server.address, setting.generator, requestOf(row, keys));
      await ask(plan.warm);
      const scraper = isScraped ? startScraper(`${server.url}/metrics`) : null;
      const before = server.mainThreadMs();
      const result = await ask(plan.measured);
      const cpuMs = server.mainThreadMs() - before;
      const scrapes = (await scraper?.stop()) ?? 0;
      return { rate: result.rate, cpuUs: (cpuMs * 1000) / result.requests, scrapes };
    },
    { extra: ['--bind=http://127.0.0.1:0'] },
  );
}

/** Scrapes now, and again and again; `stop` resolves to how often it got a page. */
function startScraper(url: string): { stop(): Promise<number> } {
  let scrapes = 0;
  let failure: Error | null = null;
  const under = new Set<Promise<void>>();
  const scrape = () => {
    const done = fetch(url)
      .then(async (answer) => {
        const text = await answer.text();
        if (!answer.ok || !text.includes('bakeserv_requests_total'))
          throw new Error(`${url} shows no metrics: ${text}`);
        scrapes++;
      })
      .catch((error) => {
        failure = error;
      })
      .finally(() => under.delete(done));
    under.add(done);
  };
  scrape();
  const timer = setInterval(scrape, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      if (failure) throw failure;
      return scrapes;
    },
  };
}

/** A table for people. */
export function printChanges(changes: readonly Change[]): string {
  const percent = (share: number) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`;
  const head = ['row', 'alone /s', 'scraped /s', 'change', 'alone us CPU', 'scraped us CPU', 'change', 'scrapes'];
  const lines = changes.map(({ name, rate, cpuUs, rateChange, cpuChange, scrapes }) => [
    name,
    Math.round(rate.alone).toLocaleString('en-US'),
    Math.round(rate.scraped).toLocaleString('en-US'),
    percent(rateChange),
    cpuUs.alone.toFixed(2),
    cpuUs.scraped.toFixed(2),
    percent(cpuChange),
    String(scrapes),
  ]);
  return `${align([head, ...lines])}\n`;
}
