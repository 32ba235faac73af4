import type { Reporter } from '../main.ts';
import { createOut } from './out.ts';

/** How the clients report errors: as JSON if results are JSON, otherwise marked `ERROR:`. */
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
