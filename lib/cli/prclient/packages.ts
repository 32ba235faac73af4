import type { Json } from '../../asyncrpc/wire/messages.ts';
import { newestRows } from '../../prserv/files/newest.ts';
import { compareRevisions } from '../../prserv/revision.ts';
import type { PrCall } from './call.ts';

/** `history VERSION PKGARCH`: every checksum with its values, the smallest first. */
export async function history({ args, out, client }: PrCall): Promise<number> {
  const filter = { version: args.need('VERSION'), pkgarch: args.need('PKGARCH') };
  const { datainfo } = await (await client()).exportRows(filter, { history: true });
  const rows = [...datainfo].sort((a, b) => compareRevisions(a.value, b.value) || (a.checksum < b.checksum ? -1 : 1));
  if (out.json)
    await out.result({ ...filter, history: rows.map(({ checksum, value }) => ({ checksum, value })) }, () => '');
  else for (const { checksum, value } of rows) await out.line(`${checksum} ${value}`);
  return rows.length === 0 ? 1 : 0;
}

/** `list [--like TEXT]`: packages with their largest value. */
export async function list({ args, out, client }: PrCall): Promise<undefined> {
  const like = args.text('like')?.toLowerCase();
  const { datainfo } = await (await client()).exportRows({}, { history: true });
  const rows = newestRows(datainfo).filter(({ version }) => like === undefined || version.toLowerCase().includes(like));
  if (out.json) {
    const packages = rows.map(({ version, pkgarch, value }) => ({ version, pkgarch, value }));
    return void (await out.result(packages, () => ''));
  }
  for (const { version, pkgarch, value } of rows) await out.line(`${version} ${pkgarch} ${value}`);
}

/** `find TEXT`: packages whose version has the text in it, with their largest value and how many there are. */
export async function find({ args, out, client }: PrCall): Promise<number> {
  const found = await (await client()).findPackages(args.need('TEXT'), args.number('limit', 100));
  const { packages, cut, complete } = found;
  if (out.json) await out.result(found as unknown as Json, () => '');
  else {
    for (const { version, pkgarch, max, values } of packages)
      await out.line(`${version} ${pkgarch} ${max ?? '-'} (values: ${values})`);
    if (packages.length === 0) out.note('no package has that in its version');
    if (cut) out.note('there are more: ask for more with --limit');
    if (!complete) out.note('not all was looked through: there was no time for it');
  }
  return packages.length === 0 ? 1 : 0;
}
