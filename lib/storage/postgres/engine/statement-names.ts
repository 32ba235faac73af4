import { createHash } from 'node:crypto';

/**
 * The names under which statements are prepared, each with a checksum of its text: a pooler may lend us a connection on
 * which a bakeserv of another version has prepared another text under the same name.
 */
export function createStatementNames(): (name: string, text: string) => string {
  /** By text: statements are constants, so these are few. */
  const names = new Map<string, string>();
  return (name, text) => {
    let known = names.get(text);
    if (known === undefined) {
      known = `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
      names.set(text, known);
    }
    return known;
  };
}
