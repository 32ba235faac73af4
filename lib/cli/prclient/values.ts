import { InvokeError } from '../../errors.ts';
import type { ChecksumKey } from '../../prserv/store.ts';
import type { Args } from '../args/args.ts';
import type { PrCall } from './call.ts';

/** The exit status when the answer is no. */
const STATUS_MISS = 1;

function keyOf(args: Args): ChecksumKey {
  return { version: args.need('VERSION'), pkgarch: args.need('PKGARCH'), checksum: args.need('CHECKSUM') };
}

/** A miss prints nothing, and is reported by the status. */
async function showFound({ out }: PrCall, value: string | null): Promise<number> {
  if (value !== null || out.json) await out.result({ value }, () => value!);
  return value === null ? STATUS_MISS : 0;
}

export async function getPr(call: PrCall): Promise<number> {
  return showFound(call, await (await call.client()).getPr(keyOf(call.args), call.args.has('history')));
}

export async function testPr(call: PrCall): Promise<number> {
  return showFound(call, await (await call.client()).testPr(keyOf(call.args), call.args.has('history')));
}

export async function maxPackagePr(call: PrCall): Promise<number> {
  const { args } = call;
  return showFound(call, await (await call.client()).maxPackagePr(args.need('VERSION'), args.need('PKGARCH')));
}

export async function testPackage({ args, out, client }: PrCall): Promise<number> {
  const known = await (await client()).testPackage(args.need('VERSION'), args.need('PKGARCH'));
  if (known || out.json) await out.result({ value: known }, () => 'true');
  return known ? 0 : STATUS_MISS;
}

export async function importOne({ args, out, client }: PrCall): Promise<undefined> {
  const value = await (await client()).importOne({ ...keyOf(args), value: args.need('VALUE') });
  if (value === null) throw new InvokeError('the server is read-only: nothing was stored');
  await out.result({ value }, () => value);
}

export async function isReadonly({ out, client }: PrCall): Promise<undefined> {
  const readonly = await (await client()).isReadonly();
  await out.result({ readonly }, () => String(readonly));
}
