import { ensureRunning, stopRunning } from './auto/ensure.ts';
import { type AutoPlace, variables } from './auto/place.ts';
import { AUTO_OPTIONS, placeOf } from './auto-options.ts';
import type { ServerStatus } from './control.ts';
import { parseFlags, wholeNumber } from './options.ts';

const USAGE = `bakeserv auto [options]

Starts a private server for a build folder in the background, or finds the one that runs, and prints
what BitBake has to be told. It ends by itself.`;

const EXAMPLES = [
  ['export $(bakeserv auto)', 'BB_HASHSERVE and PRSERV_HOST for this shell'],
  ['bakeserv auto --format conf > conf/bakeserv.conf', 'for "include conf/bakeserv.conf" in local.conf'],
  ['bakeserv auto --stop', 'when the day is over'],
] as const;

const DEFAULT_IDLE_SECONDS = 600;

/** `bakeserv auto`. */
export async function run(args: readonly string[]): Promise<number> {
  const flags = await parseFlags(USAGE, AUTO_OPTIONS, args, EXAMPLES);
  if (!flags) return 0;
  const place = placeOf(flags, process.env);
  const idleSeconds = wholeNumber(flags, 'idle', 'a whole number of seconds') ?? DEFAULT_IDLE_SECONDS;
  const parent = wholeNumber(flags, 'parent', 'the number of a process');
  if (flags.stop === true) return stop(place);
  if (flags.foreground === true) {
    const { serveAuto } = await import('./auto/server.ts');
    const { privateSettings } = await import('./auto/settings.ts');
    return serveAuto(place, () => privateSettings(place, flags, process.env), { idleSeconds, parent });
  }
  const { status } = await ensureRunning(place, ['auto', '--foreground', ...args]);
  process.stdout.write(FORMATS[(flags.format as string | undefined) ?? 'shell']!(variables(status)));
  return 0;
}

async function stop(place: AutoPlace): Promise<number> {
  const stopped: ServerStatus | null = await stopRunning(place);
  if (stopped) process.stdout.write(`stopped ${stopped.addresses.join(' ')}\n`);
  else process.stderr.write(`bakeserv: no server runs for ${place.folder}\n`);
  return 0;
}

const lines = (format: (name: string, value: string) => string) => (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => `${format(name, value)}\n`)
    .join('');

const FORMATS: Readonly<Record<string, (values: Record<string, string>) => string>> = {
  shell: lines((name, value) => `${name}=${shellQuote(value)}`),
  conf: lines((name, value) => `${name} = "${value.replace(/(["\\])/g, '\\$1')}"`),
  json: (values) => `${JSON.stringify(values)}\n`,
};

function shellQuote(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
