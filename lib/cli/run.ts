import { keepServer } from './auto/keeper.ts';
import { variables } from './auto/place.ts';
import { withPassthrough } from './auto/shell.ts';
import { PRIVATE_OPTIONS, placeOf } from './auto-options.ts';
import { UsageError } from './main.ts';
import { parseFlags } from './options.ts';
import { runCommand } from './run-command.ts';

const USAGE = `bakeserv run [options] -- COMMAND [ARGUMENT...]

Runs a command with a private server: sets BB_HASHSERVE and PRSERV_HOST (and lets BitBake see them),
keeps the server alive, stops it afterwards unless another build uses it, and exits with the command's status.`;

const EXAMPLES = [['bakeserv run -- bitbake core-image-minimal', 'a build with its own server']] as const;

/** `bakeserv run`. */
export async function run(args: readonly string[]): Promise<number> {
  const cut = args.indexOf('--');
  const own = cut < 0 ? args : args.slice(0, cut);
  const flags = await parseFlags(USAGE, PRIVATE_OPTIONS, own, EXAMPLES);
  if (!flags) return 0;
  const [program, ...rest] = cut < 0 ? [] : args.slice(cut + 1);
  if (program === undefined)
    throw new UsageError('run: no command; write it behind --, as: bakeserv run -- bitbake world');
  // Ends with us also when we are killed before we hold it.
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
