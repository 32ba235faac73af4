import { InvokeError } from '../../errors.ts';
import { UsageError } from '../args/usage-error.ts';
import { startAsClient } from '../jobs/background.ts';
import type { HashCall } from './call.ts';
import { whereOf } from './database.ts';

export async function gcStatus({ out, client }: HashCall): Promise<undefined> {
  const { mark, keep, remove } = await (await client()).gcStatus();
  await out.result({ mark, keep, remove }, () =>
    mark === null
      ? 'No Garbage collection in progress'
      : [`Current Mark: ${mark}`, `Total hashes to keep: ${keep}`, `Total hashes to remove: ${remove}`],
  );
}

export async function gcMark(call: HashCall): Promise<undefined> {
  const where = whereOf(call);
  if (Object.keys(where).length === 0) throw new UsageError('gc-mark: say what to keep with --where KEY VALUE');
  const mark = call.args.need('MARK');
  if (call.args.has('background')) return startAsClient(await call.client(), call.out, 'gc-mark', { mark, where });
  const count = await (await call.client()).gcMark(mark, where);
  await call.out.result({ count }, () => `New hashes marked: ${count}`);
}

export async function gcSweep({ args, out, client }: HashCall): Promise<undefined> {
  const mark = args.need('MARK');
  if (args.has('background')) return startAsClient(await client(), out, 'gc-sweep', { mark });
  const count = await (await client()).gcSweep(mark);
  await out.result({ count }, () => `Removed ${count} rows`);
}

/** `column value column value …` as a where. Throws InvokeError naming the line. */
export function parseKeepLine(line: string, where: string): { [column: string]: string } {
  const words = line.trim().split(/\s+/);
  if (words.length % 2 !== 0) throw new InvokeError(`${where}: expected "column value column value …"`);
  const named: { [column: string]: string } = {};
  for (let i = 0; i < words.length; i += 2) {
    if (Object.hasOwn(named, words[i]!)) throw new InvokeError(`${where}: column ${words[i]} is named twice`);
    named[words[i]!] = words[i + 1]!;
  }
  return named;
}
