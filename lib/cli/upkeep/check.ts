import { errorText } from '../../errors.ts';
import { checkFile, type FileReport } from '../../server.ts';
import type { ServerCall } from '../commands/call.ts';
import { fileFor } from '../jobs/background.ts';
import { inServer, refuseServer } from '../jobs/in-server.ts';

const STATUS_PROBLEMS = 3;

/** A file that could not be looked at. */
interface Unread {
  readonly file: string;
  readonly error: string;
}

/** `bakeserv check FILE…`. */
export async function run({ args }: ServerCall): Promise<number> {
  if (args.has('background')) return inServer(args, 'check', { file: fileFor('check', args.list('FILE')) });
  refuseServer('check', args);
  const json = args.has('json');
  const found: (FileReport | Unread)[] = [];
  for (const file of args.list('FILE')) {
    const report = await checkFile(file).catch((error): Unread => ({ file, error: errorText(error) }));
    found.push(report);
    if ('error' in report) process.stderr.write(`bakeserv: ${report.error}\n`);
    else if (!json) process.stdout.write(describe(report));
  }
  if (json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  if (found.some((each) => 'problems' in each && each.problems.length > 0)) return STATUS_PROBLEMS;
  return found.some((each) => 'error' in each) ? 1 : 0;
}

function describe({ file, services, rows, problems, notes }: FileReport): string {
  const counts = Object.entries(rows).map(([table, count]) => `${table} ${count}`);
  const what = services.length > 0 ? ` (${services.join(' and ')}; rows: ${counts.join(', ')})` : '';
  const lines = [
    `${file}: ${problems.length === 0 ? 'ok' : 'has problems'}${what}`,
    ...problems.map((problem) => `  problem: ${problem}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
