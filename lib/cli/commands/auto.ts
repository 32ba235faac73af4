import { wholeNumber } from '../args/whole-number.ts';
import { stopRunning, takeServer } from '../auto/ensure.ts';
import { type AutoPlace, placeOf, variables } from '../auto/place.ts';
import { confLines, shellLines, withPassthrough } from '../auto/shell.ts';
import type { ServerStatus } from '../process/control.ts';
import { joinServer } from '../process/control-client.ts';
import type { ServerCall } from './call.ts';

const DEFAULT_IDLE_SECONDS = 600;

/** `bakeserv auto`. */
export async function run({ flags, words }: ServerCall): Promise<number> {
  const place = placeOf(flags, process.env);
  const idleSeconds = wholeNumber(flags, 'idle', 'a whole number of seconds') ?? DEFAULT_IDLE_SECONDS;
  const build = { idleMs: idleSeconds * 1000, parent: wholeNumber(flags, 'parent', 'the number of a process') };
  if (flags.stop === true) return stop(place);
  if (flags.foreground === true) {
    const { serveAuto } = await import('../auto/server.ts');
    const { privateSettings } = await import('../auto/settings.ts');
    return serveAuto(place, () => privateSettings(place, flags, process.env), build);
  }
  const status = await takeServer(place, ['auto', '--foreground', ...words], () => joinServer(place.control, build));
  process.stdout.write(FORMATS[(flags.format as string | undefined) ?? 'shell']!(variables(status)));
  return 0;
}

async function stop(place: AutoPlace): Promise<number> {
  const stopped: ServerStatus | null = await stopRunning(place);
  if (stopped) process.stdout.write(`stopped ${stopped.addresses.join(' ')}\n`);
  else process.stderr.write(`bakeserv: no server runs for ${place.folder}\n`);
  return 0;
}

const FORMATS: Readonly<Record<string, (values: Record<string, string>) => string>> = {
  shell: (values) => shellLines(withPassthrough(values, process.env)),
  conf: confLines,
  json: (values) => `${JSON.stringify(values)}\n`,
};
