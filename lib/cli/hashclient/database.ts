import { UsageError } from '../args/usage-error.ts';
import { refuseWith, startAsClient } from '../jobs/background.ts';
import type { HashCall } from './call.ts';

/** The `-w KEY VALUE` pairs as a where. A key given twice is refused: only one of the values could count. */
export function whereOf({ args }: HashCall): { [column: string]: string } {
  const pairs = args.pairs('where');
  const where = Object.fromEntries(pairs);
  if (Object.keys(where).length < pairs.length) throw new UsageError('--where names a column twice');
  return where;
}

export async function remove(call: HashCall): Promise<undefined> {
  const { out } = call;
  const where = whereOf(call);
  if (Object.keys(where).length === 0) {
    await out.result({ count: 0 }, () => 'No query specified');
    return;
  }
  if (call.args.has('background')) {
    refuseWith('remove', call.args, ['dry-run']);
    return startAsClient(await call.client(), out, 'remove-hashes', { where });
  }
  const server = await call.client();
  if (call.args.has('dry-run')) {
    const { unihashes, outhashes } = await server.countRows(where);
    const count = unihashes + outhashes;
    await out.result({ dryRun: true, count, unihashes, outhashes }, () => [
      `Would remove ${count} row(s)`,
      `  unihashes: ${unihashes}`,
      `  outhashes: ${outhashes}`,
    ]);
    return;
  }
  const count = await server.remove(where);
  await out.result({ count }, () => `Removed ${count} row(s)`);
}

export async function cleanUnused({ args, out, client }: HashCall): Promise<undefined> {
  const seconds = args.number('SECONDS', 0);
  if (args.has('background')) return startAsClient(await client(), out, 'clean-unused', { max_age_seconds: seconds });
  const count = await (await client()).cleanUnused(seconds);
  await out.result({ count }, () => `Removed ${count} rows`);
}

export async function usage({ out, client }: HashCall): Promise<undefined> {
  const tables = await (await client()).databaseUsage();
  const total = Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
  await out.result({ usage: tables, total }, () => [
    out.bold(`${'Table name'.padEnd(20)} | Rows`),
    ...Object.keys(tables)
      .sort()
      .map((name) => `${name.padEnd(20)} | ${tables[name]!.rows}`),
    `Total rows: ${total}`,
  ]);
}

export async function queryColumns({ out, client }: HashCall): Promise<undefined> {
  const columns = (await (await client()).queryColumns()).sort();
  await out.result(columns, () => columns);
}
