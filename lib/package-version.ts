import fs from 'node:fs';

/** The version in package.json, which is above lib, dist/lib and dist/bin/parts. */
export function packageVersion(): string {
  for (const up of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(fs.readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (found.name === 'bakeserv') return found.version;
    } catch {
      // Not at this level.
    }
  }
  return 'unknown';
}
