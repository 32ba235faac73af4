import { ConfigError } from '../../errors.ts';
import { SILENT } from '../../log.ts';
import { migrateDatabases, planDatabases } from '../../server.ts';
import { configOf } from '../../settings/config.ts';
import type { ServerCall } from '../commands/call.ts';
import { loadSettings } from '../commands/load-settings.ts';

/** `bakeserv db migrate`: makes the tables that a PostgreSQL database lacks, or shows how they would be made. */
export async function run({ args, flags }: ServerCall): Promise<number> {
  args.need('ACTION');
  const { 'dry-run': dryRun, json, ...named } = flags;
  const config = configOf((await loadSettings(named, process.env)).settings);
  const plans = await planDatabases(config, SILENT);
  if (plans.size === 0)
    throw new ConfigError(
      'no PostgreSQL database is named: database files are brought up to date when a server opens them',
    );
  if (!dryRun) await migrateDatabases(config, SILENT);
  const reports = [...plans].map(([database, statements]) => ({ database, done: !dryRun, statements }));
  process.stdout.write(json ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(describe).join(''));
  return 0;
}

function describe({
  database,
  statements,
  done,
}: {
  database: string;
  statements: readonly string[];
  done: boolean;
}): string {
  if (statements.length === 0) return `-- ${database}: nothing is missing\n`;
  const list = statements.map((statement) => `${statement};\n`).join('');
  return `-- ${database}: ${done ? 'done' : 'to be done, in one transaction'}\n${list}`;
}
