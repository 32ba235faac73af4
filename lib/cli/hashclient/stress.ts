import { createHash } from 'node:crypto';
import type { HashClient } from '../../hashserv/client-types.ts';
import { figuresOf, milliseconds } from '../client/figures.ts';
import type { HashCall } from './call.ts';

const METHOD = 'stress.test.method';
const DEFAULT_CLIENTS = 10;
const DEFAULT_REQUESTS = 1000;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Look-ups by many clients at once, each with one in flight; `--report` reports missed hashes. */
export async function stress({ args, out, address, connect }: HashCall): Promise<undefined> {
  const clients = Math.max(1, args.number('clients', DEFAULT_CLIENTS));
  const requests = args.number('requests', DEFAULT_REQUESTS);
  const [taskhashSeed, outhashSeed] = [args.text('taskhash-seed') ?? '', args.text('outhash-seed') ?? ''];
  const { createProgress } = await import('../client/progress.ts');
  const progress = await createProgress('requests', clients * requests);
  const times: number[] = [];
  let found = 0;

  async function run(client: HashClient): Promise<void> {
    for (let i = 0; i < requests; i++) {
      const taskhash = sha256(`${taskhashSeed}${i}`);
      const started = performance.now();
      const reply = await client.get(METHOD, taskhash);
      times.push((performance.now() - started) / 1000);
      if (reply) found++;
      else if (args.has('report')) {
        await client.report({ method: METHOD, taskhash, outhash: sha256(`${outhashSeed}${i}`), unihash: taskhash });
      }
      progress.add(1);
    }
  }

  const opened = await Promise.all(Array.from({ length: clients }, () => connect(address)));
  const started = performance.now();
  try {
    await Promise.all(opened.map(run));
  } finally {
    progress.stop();
  }
  const elapsed = (performance.now() - started) / 1000;
  const total = times.length;
  const { average, median, deviation, max, min } = figuresOf(times);
  const missed = total - found;
  const rate = total === 0 ? 0 : total / elapsed;
  await out.result(
    { clients, requests, total, elapsed, rate, average, median, deviation, max, min, found, missed },
    () => [
      `Clients:             ${clients}`,
      `Requests per client: ${requests}`,
      `Total requests:      ${total}`,
      `Elapsed:             ${elapsed.toFixed(3)} s`,
      `Rate:                ${rate.toFixed(0)} requests/s`,
      `Average:             ${milliseconds(average)}`,
      `Median:              ${milliseconds(median)}`,
      `Deviation:           ${milliseconds(deviation)}`,
      `Max:                 ${milliseconds(max)}`,
      `Min:                 ${milliseconds(min)}`,
      `Found:               ${found}`,
      `Missed:              ${missed}`,
    ],
  );
}
