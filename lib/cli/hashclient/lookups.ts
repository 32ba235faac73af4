import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { HashRecord, TaskUnihash } from '../../hashserv/client-types.ts';
import type { FoundTask } from '../../hashserv/find-tasks.ts';
import { type Out, pythonJson } from '../client/out.ts';
import type { HashCall } from './call.ts';

/** A reply as BitBake's client prints it; a miss prints nothing. */
async function show(out: Out, reply: HashRecord | TaskUnihash | null): Promise<undefined> {
  if (reply === null && !out.json) return;
  await out.result(reply as Json, () => pythonJson(reply as Json));
}

export async function get({ args, out, client }: HashCall): Promise<undefined> {
  const server = await client();
  const [method, taskhash] = [args.need('METHOD'), args.need('TASKHASH')];
  // A taskhash known only from report-equiv has a unihash, but no output with more fields.
  return show(out, (await server.getAll(method, taskhash)) ?? (await server.get(method, taskhash)));
}

export async function getOuthash({ args, out, client }: HashCall): Promise<undefined> {
  const server = await client();
  return show(out, await server.getOuthash(args.need('METHOD'), args.need('OUTHASH'), args.need('TASKHASH')));
}

export async function unihashExists({ args, out, client }: HashCall): Promise<number> {
  const server = await client();
  const [found] = await server.unihashesExist([args.need('UNIHASH')]);
  if (args.has('quiet')) return found ? 0 : 1;
  await out.result(found!, () => String(found));
  return 0;
}

export async function stats({ args, out, client }: HashCall): Promise<undefined> {
  const server = await client();
  const reply = (await (args.has('reset') ? server.resetStats() : server.stats())) as unknown as Json;
  await out.result(reply, () => pythonJson(reply));
}

/** `find TEXT`: whatever is known of a hash, or of a recipe. */
export async function find({ args, out, client }: HashCall): Promise<number> {
  const found = await (await client()).findTask(args.need('TEXT'), args.number('limit', 100));
  const { is, rows, equivalent, cut, complete } = found;
  const isNothing = rows.length === 0;
  if (out.json) await out.result(found as unknown as Json, () => '');
  else {
    if (!isNothing) await out.line(out.bold(`It is: ${is.join(', ')}`));
    for (const row of rows) await out.line(lineOf(row));
    if (equivalent.length > 0) await out.line(out.bold('Equivalent tasks:'));
    for (const row of equivalent) await out.line(lineOf(row));
    if (isNothing) out.note('nothing is known of that here');
    if (cut) out.note('there are more: ask for more with --limit');
    if (!complete) out.note('not all was looked through: there was no time for it');
  }
  return isNothing ? 1 : 0;
}

function lineOf({ method, taskhash, unihash, outhash, owner, PN, PV, PR, task, created, siginfo }: FoundTask): string {
  const recipe = [PN, PV, PR].filter((each) => each !== null).join('-');
  const said = [
    recipe,
    task ?? '',
    created === null ? '' : `reported ${created}`,
    owner === null ? '' : `by ${owner}`,
    siginfo ? 'with signature' : '',
  ];
  return [method, taskhash, unihash ?? '-', outhash ?? '-', ...said.filter((each) => each !== '')].join(' ');
}
