import { InvokeError } from '../../errors.ts';
import { countLines, nameOf, readLines } from '../../files/lines.ts';
import type { WhereColumns } from '../../hashserv/client-types.ts';
import { UsageError } from '../args/usage-error.ts';
import { createProgress, type Progress } from '../client/progress.ts';
import { refuseWith, startAsClient } from '../jobs/background.ts';
import type { HashCall } from './call.ts';
import { parseKeepLine } from './marks.ts';
import { scanSharedState } from './sstate.ts';

const UNIHASH_LINE = /^[0-9a-f]{64}$/;

/** `gc-mark-stream MARK`: lines `column value …` from standard input. */
export async function gcMarkStream({ args, out, client }: HashCall): Promise<undefined> {
  const server = await client();
  const progress = await createProgress('lines', null);
  let count = 0;
  try {
    for await (const marked of server.gcMarkAll(
      args.need('MARK'),
      keepLines('-', () => {}),
    )) {
      count += marked;
      progress.add(1);
    }
  } finally {
    progress.stop();
  }
  await out.result({ count }, () => `New hashes marked: ${count}`);
}

/** The rows named by a list of unihashes or `column value …` lines. Skips empty lines, and lines that begin with `#`. */
async function* keepLines(file: string, onLine: () => void): AsyncGenerator<WhereColumns> {
  for await (const lines of readLines(file)) {
    for (const { text, number } of lines) {
      const line = text.trim();
      if (line === '' || line.startsWith('#')) continue;
      onLine();
      yield UNIHASH_LINE.test(line) ? { unihash: line } : parseKeepLine(line, `${nameOf(file)}, line ${number}`);
    }
  }
}

interface Counts {
  keep: number;
  remove: number;
}

/** A whole collection in one command. */
export async function gc({ args, out, client }: HashCall): Promise<undefined> {
  const [folder, file] = [args.text('sstate-dir'), args.text('keep-from')];
  if ((folder === undefined) === (file === undefined)) {
    throw new UsageError('gc: say what to keep with --sstate-dir DIR or with --keep-from FILE');
  }
  if (args.has('background')) refuseWith('gc', args, ['dry-run']);
  const mark = args.text('mark') ?? `gc-${new Date().toISOString()}`;
  const server = await client();
  const progress = await createProgress('unihashes', file === undefined ? null : await countLines(file));
  let named = 0;
  const count = () => {
    named++;
    progress.add(1);
  };
  const keep = folder === undefined ? keepLines(file!, count) : scanSharedState(folder, count);
  const dryRun = args.has('dry-run');
  const marked = await drain(dryRun ? server.countAll(keep) : server.gcMarkAll(mark, keep), progress);
  if (named === 0) {
    throw new InvokeError(`${folder ?? nameOf(file!)} names nothing to keep: nothing was removed`);
  }
  const counts: Counts = dryRun ? await plannedCounts() : await markedCounts();
  if (!out.json) out.note(`${named} named, ${counts.keep} hashes to keep, ${counts.remove} to remove`);
  if (dryRun) {
    await out.result({ dryRun: true, named, ...counts }, () => `Would remove ${counts.remove} rows`);
    return;
  }
  if (counts.remove > counts.keep && !args.has('yes')) {
    throw new InvokeError(
      `that would remove ${counts.remove} of ${counts.keep + counts.remove} hashes, more than half: nothing was removed. ` +
        `Is everything named that must be kept? If so, say --yes, or "gc-sweep ${mark}"`,
    );
  }
  const maxAge = args.number('max-age', 0);
  if (args.has('background'))
    return startAsClient(server, out, 'gc', { mark, remove: counts.remove, max_age_seconds: maxAge });
  const removed = await server.gcSweep(mark, counts.remove);
  const unused = await server.cleanUnused(maxAge);
  await out.result({ mark, named, ...counts, removed, unused }, () => [
    `Removed ${removed} rows`,
    `Removed ${unused} unused outhash rows`,
  ]);

  async function plannedCounts(): Promise<Counts> {
    const total = (await server.databaseUsage()).unihashes_v3?.rows ?? 0;
    return { keep: Math.min(marked, total), remove: Math.max(0, total - marked) };
  }

  async function markedCounts(): Promise<Counts> {
    const status = await server.gcStatus();
    if (status.mark !== mark) {
      throw new InvokeError(
        `another collection, ${JSON.stringify(status.mark)}, was begun meanwhile: nothing was removed`,
      );
    }
    return { keep: status.keep, remove: status.remove };
  }
}

/** The sum of the counts. */
async function drain(counts: AsyncIterable<number>, progress: Progress): Promise<number> {
  let sum = 0;
  try {
    for await (const count of counts) sum += count;
  } finally {
    progress.stop();
  }
  return sum;
}
