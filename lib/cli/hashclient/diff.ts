import { readTasks, taskOf } from '../client/task-lines.ts';
import type { HashCall } from './call.ts';

/** The status when the servers differ, as diff(1) has it. */
const STATUS_DIFFERENT = 1;

/** `diff ADDRESS ADDRESS --taskhashes FILE`: the tasks for which two servers have different unihashes. */
export async function diff({ args, out, connect }: HashCall): Promise<number> {
  const [left, right] = [await connect(args.need('ADDRESS')), await connect(args.need('OTHER'))];
  const totals = { compared: 0, same: 0, different: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for await (const tasks of readTasks(args.need('taskhashes'))) {
    const keys = tasks.map(taskOf);
    const [ours, theirs] = await Promise.all([left.getUnihashes(keys), right.getUnihashes(keys)]);
    for (const [i, task] of tasks.entries()) {
      const [a, b] = [ours[i]!, theirs[i]!];
      totals.compared++;
      if (a === null && b === null) totals.neither++;
      else if (a === b) totals.same++;
      else {
        totals[a === null ? 'onlySecond' : b === null ? 'onlyFirst' : 'different']++;
        await out.result({ task, first: a, second: b }, () => `${task} ${a ?? '-'} ${b ?? '-'}`);
      }
    }
  }
  const { compared, same, different, onlyFirst, onlySecond, neither } = totals;
  if (out.json) await out.result(totals, () => '');
  else
    out.note(
      `${compared} compared: ${same} same, ${different} different, ${onlyFirst} only in the first, ` +
        `${onlySecond} only in the second, ${neither} in neither`,
    );
  return different + onlyFirst + onlySecond > 0 ? STATUS_DIFFERENT : 0;
}
