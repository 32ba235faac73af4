import { UsageError } from '../args/usage-error.ts';
import { refuseWith, startAsClient } from '../jobs/background.ts';
import type { PrCall } from './call.ts';

/** `remove [--version V] [--pkgarch A] [--checksum C] [--value N] [--dry-run]`: rows that match all of it. */
export async function remove({ args, out, client }: PrCall): Promise<undefined> {
  const named = (name: string) => args.text(name) ?? null;
  const filter = { version: named('version'), pkgarch: named('pkgarch'), checksum: named('checksum') };
  const value = named('value');
  if (Object.values(filter).every((each) => each === null)) {
    throw new UsageError('remove: name what to remove with --version, --pkgarch or --checksum');
  }
  if (args.has('background')) {
    refuseWith('remove', args, ['dry-run']);
    return startAsClient(await client(), out, 'remove-prs', { ...filter, value });
  }
  const server = await client();
  if (!args.has('dry-run')) {
    const count = await server.removeRows({ ...filter, value });
    await out.result({ count }, () => `Removed ${count} row(s)`);
    return;
  }
  const { datainfo } = await server.exportRows(filter, { history: true });
  const rows = datainfo.filter((row) => value === null || row.value === value);
  const count = await server.countRows({ ...filter, value });
  await out.result({ dryRun: true, count, rows: rows.map((row) => ({ ...row })) }, () => [
    ...rows.map((row) => `${row.version} ${row.pkgarch} ${row.checksum} ${row.value}`),
    `Would remove ${count} row(s)`,
  ]);
}
