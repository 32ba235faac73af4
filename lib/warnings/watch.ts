import type { Warning } from './rules.ts';

/**
 * Remembers since when warnings are there that do not say so, from the first look that finds them on. Warnings that are gone are
 * forgotten, so that it holds no more than there are.
 */
export class WarningWatch {
  private seen = new Map<string, string>();

  dated(warnings: readonly Warning[], now: number): readonly Warning[] {
    const seen = new Map<string, string>();
    const dated = warnings.map((warning) => {
      const key = JSON.stringify([warning.code, warning.subject]);
      const since = warning.since ?? this.seen.get(key) ?? new Date(now).toISOString();
      seen.set(key, since);
      return { ...warning, since };
    });
    this.seen = seen;
    return dated;
  }
}
