import { isUnknownCommand } from '../../asyncrpc/client/channel.ts';
import { InvokeError } from '../../errors.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import type { Out } from '../client/out.ts';
import { DIFF_VIEW } from './diff-view.ts';
import { type Asked, followed } from './progress.ts';
import { SHARED_STATE_OPTIONS } from './shared-state-options.ts';
import { csvLines, tableLines } from './table.ts';
import type { Answer, Entry, List, View } from './view.ts';
import { VIEWS } from './views.ts';

/** What a subcommand `insights` works with. */
export interface InsightCall {
  readonly args: Args;
  readonly out: Out;
  client(): Promise<Asked>;
  /** One more connection to the same server. */
  another(): Promise<Asked>;
}

/** `insights NAME`: asks, and shows the answer as tables, as CSV or as JSON. */
export async function insights({ args, out, client, another }: InsightCall, views = VIEWS): Promise<undefined> {
  const name = args.need('NAME');
  const asked = views[name]!;
  requireOwn(args, name, asked.options, views);
  const view = args.has('diff') ? DIFF_VIEW : asked;
  requireDiff(args);
  const lists = listsOf(view, name, args.text('list'));
  if (args.has('csv') && out.json) throw new UsageError('insights: --csv or --json, not both');
  const limit = args.has('limit') ? { limit: args.number('limit', 0) } : {};
  const server = await client();
  const answer = await followed(view.command, another, ask(server, view.command, { ...limit, ...view.argument(args) }));
  if (args.has('csv')) {
    for (const line of await csvLines(lists[0]!.columns, entriesOf(answer, lists[0]!))) await out.line(line);
    return;
  }
  await out.result(answer, () => [
    ...lists.flatMap((list, i) => [...(i > 0 ? [''] : []), ...shown(list, answer, out)]),
    '',
    ...view.notes(answer),
  ]);
}

/** @throws UsageError for an option that only other insights take */
export function requireOwn(args: Args, name: string, own: readonly string[], views = VIEWS): void {
  const options = [...SHARED_STATE_OPTIONS, ...Object.values(views).flatMap((view) => view.options)];
  for (const option of options.map((each) => (typeof each === 'string' ? each : each.name)))
    if (args.has(option) && !own.includes(option))
      throw new UsageError(`insights ${name}: --${option} is of no use here`);
}

/** Those that are shown: all, or the one that is named. @throws UsageError */
function listsOf({ lists }: View, insight: string, wanted: string | undefined): readonly List[] {
  if (wanted === undefined) return lists;
  const found = lists.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  throw new UsageError(`insights ${insight}: --list is one of ${lists.map(({ name }) => name).join(', ')}`);
}

const entriesOf = (answer: Answer, { name, entries }: List) =>
  entries ? entries(answer) : ((answer[name] ?? []) as readonly Entry[]);

/** @throws UsageError where outputs are named and nothing is compared */
function requireDiff(args: Args): void {
  if (args.has('diff')) return;
  for (const option of ['method', 'outhash', 'other'])
    if (args.has(option)) throw new UsageError(`insights unstable: --${option} is for --diff`);
}

function shown(list: List, answer: Answer, out: Out): string[] {
  const entries = entriesOf(answer, list);
  if (entries.length === 0) return [out.bold(list.title), list.empty];
  const [heading, ...rows] = tableLines(list.columns, entries);
  return [out.bold(list.title), out.bold(heading!), ...rows];
}

/** @throws InvokeError that says so where the server does not know the command */
export async function ask(server: Asked, command: string, argument: Answer): Promise<Answer> {
  try {
    return (await server.invoke(command, argument)) as Answer;
  } catch (error) {
    if (!isUnknownCommand(error)) throw error;
    throw new InvokeError(`the server does not know ${command}: it is not bakeserv, or an older one`, error);
  }
}
