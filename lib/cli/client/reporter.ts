import type { Reporter } from '../main.ts';
import { createOut } from './out.ts';

/** How the clients report: as JSON where results are, failures marked `ERROR:` otherwise. */
export function clientReporter(program: string, words: readonly string[]): Reporter {
  const out = createOut(words.includes('--json'));
  return {
    usage: (message, hint) => (out.json ? out.error(message) : out.note(`${program}: ${message}${hint}`)),
    failure(message) {
      out.error(message);
      return 1;
    },
  };
}
