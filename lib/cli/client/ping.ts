import type { Args } from '../args/args.ts';
import { figuresOf, milliseconds } from './figures.ts';
import type { Out } from './out.ts';

const DEFAULT_COUNT = 10;

/** `ping [-n COUNT] [-q]` of both clients: round trips one after the other. */
export async function ping(args: Args, out: Out, once: () => Promise<void>): Promise<undefined> {
  const count = Math.max(1, args.number('count', DEFAULT_COUNT));
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await once();
    const seconds = (performance.now() - started) / 1000;
    times.push(seconds);
    if (!args.has('quiet') && !out.json) await out.line(`Ping time: ${milliseconds(seconds)}`);
  }
  const { average, median, deviation, min, max } = figuresOf(times);
  await out.result({ pings: count, times, average, median, deviation, min, max }, () => [
    `Pings:     ${count}`,
    `Average:   ${milliseconds(average)}`,
    `Median:    ${milliseconds(median)}`,
    `Deviation: ${milliseconds(deviation)}`,
    `Min:       ${milliseconds(min)}`,
    `Max:       ${milliseconds(max)}`,
  ]);
}
