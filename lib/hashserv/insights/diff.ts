import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import type { InsightRun, InsightWork } from '../../insights/insight.ts';
import { diffInTurns } from '../../insights/signature-diff.ts';
import type { HashInsightRows, Output } from '../insight-rows.ts';

/** What is compared: two outputs of a task, by default the two that were reported last. */
export interface DiffArgs {
  readonly [key: string]: string | number | null;
  readonly taskhash: string;
  /** Null: whatever method has such a task. */
  readonly method: string | null;
  readonly outhash: string | null;
  readonly other: string | null;
  readonly limit: number;
}

/** The outputs that are listed, and among which the newest two are chosen. */
const MAX_OUTPUTS = 50;
/** As long as the longest that a report may bring; another program may have stored a longer one. */
const MAX_TEXT_CHARS = 16 << 20;

/** How the signature texts of two outputs of a task differ, file by file. */
export const diff: InsightWork<HashInsightRows, DiffArgs> = async (rows, args, run) => {
  const outputs = await outputsOf(rows, args);
  const [here, there] = chosen(outputs, args);
  const left = await textOf(rows, here, run);
  const right = await textOf(rows, there, run);
  const work = diffInTurns(left.text, right.text, args.limit);
  for (;;) {
    const { done, value } = work.next();
    if (!done) {
      await run.step(0.5);
      continue;
    }
    const { cut, ...found } = value;
    return {
      taskhash: args.taskhash,
      method: here.method,
      here: shown(here),
      there: shown(there),
      ...(found as unknown as { [key: string]: Json }),
      cut: cut || left.cut || right.cut,
      outputs: outputs.filter(({ method }) => method === here.method).map(shown),
    };
  }
};

async function outputsOf(
  rows: HashInsightRows,
  { method, taskhash, outhash, other }: DiffArgs,
): Promise<readonly Output[]> {
  const named = [outhash, other].filter((each) => each !== null);
  if (named.length === 1 || (named.length === 2 && outhash === other))
    throw new InvokeError('insight-diff: name two outputs, with outhash and other, or none', undefined, 'invalid');
  const newest = await rows.outputs(method, taskhash, null, MAX_OUTPUTS);
  const missing = named.filter((each) => !newest.some((output) => output.outhash === each));
  if (missing.length === 0) return newest;
  return [...newest, ...(await rows.outputs(method, taskhash, missing, MAX_OUTPUTS))];
}

/** The two that are compared: those that are named, otherwise the newest two of a method, the older one first. */
function chosen(outputs: readonly Output[], { taskhash, outhash, other }: DiffArgs): readonly [Output, Output] {
  const missing = (text: string) => new InvokeError(`insight-diff: ${text}`, undefined, 'missing');
  if (outputs.length === 0) throw missing(`no output of a task ${taskhash} is known`);
  if (outhash !== null && other !== null) {
    const [here, there] = [outhash, other].map((wanted) => {
      const found = outputs.find((output) => output.outhash === wanted);
      if (!found) throw missing(`the task has no output ${wanted}`);
      if (found.textBytes === null) throw missing(`the output ${wanted} was reported without a signature text: ${HOW}`);
      return found;
    });
    return [here!, there!];
  }
  const written = outputs.filter(({ textBytes }) => textBytes !== null);
  for (const there of written) {
    const here = written.find((each) => each !== there && each.method === there.method && isBefore(each, there));
    if (here) return [here, there];
  }
  const known = outputs.length === 1 ? 'one output' : `${outputs.length} outputs`;
  throw missing(
    written.length === outputs.length
      ? `${known} of the task is known: there is nothing to compare it with`
      : `the task has ${known}, ${written.length} with a signature text: ${HOW}`,
  );
}

const HOW = 'builds send them with SSTATE_HASHEQUIV_REPORT_TASKDATA = "1"';

const isBefore = (a: Output, b: Output) =>
  (a.created ?? '') < (b.created ?? '') || (a.created === b.created && a.id < b.id);

async function textOf(rows: HashInsightRows, { id }: Output, run: InsightRun): Promise<{ text: string; cut: boolean }> {
  let text = '';
  for await (const piece of rows.text(id)) {
    text += piece;
    if (text.length > MAX_TEXT_CHARS) return { text: text.slice(0, MAX_TEXT_CHARS), cut: true };
    await run.step(0);
  }
  return { text, cut: false };
}

const shown = ({ outhash, created, owner, PN, task, textBytes }: Output) => ({
  outhash,
  created,
  owner,
  PN,
  task,
  siginfo_bytes: textBytes,
});
