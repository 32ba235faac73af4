import { UsageError } from '../args/usage-error.ts';
import { keepServer } from '../auto/keeper.ts';
import { placeOf, variables } from '../auto/place.ts';
import { withPassthrough } from '../auto/shell.ts';
import { runCommand } from '../process/run-command.ts';
import type { ServerCall } from './call.ts';

/** `bakeserv run`. */
export async function run({ flags, words }: ServerCall): Promise<number> {
  const cut = words.indexOf('--');
  const own = cut < 0 ? words : words.slice(0, cut);
  const [program, ...rest] = cut < 0 ? [] : words.slice(cut + 1);
  if (program === undefined)
    throw new UsageError('run: no command; write it after --, as in: bakeserv run -- bitbake world');
  // So that it also ends with us if we are killed before we hold a lease.
  const server = ['auto', '--foreground', '--idle', '0', '--parent', String(process.pid), ...own];
  const say = (text: string) => void process.stderr.write(`bakeserv: ${text}\n`);
  const kept = await keepServer(placeOf(flags, process.env), server, say);
  const told = withPassthrough(variables(kept.status), process.env);
  try {
    return await runCommand(program, rest, { ...process.env, ...told });
  } finally {
    await kept.release();
  }
}
