import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { HashRecord, TaskUnihash } from '../../hashserv/client-types.ts';
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
