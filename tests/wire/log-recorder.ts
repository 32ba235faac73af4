import type { LogFields, Logger } from '../../lib/log.ts';

/** A log that keeps its lines, as `level message key=value …`. */
export interface RecordedLog {
  readonly log: Logger;
  readonly lines: string[];
  /** Resolves to the first line that matches, also one that is yet to come. */
  line(pattern: RegExp): Promise<string>;
}

export function recordLog(): RecordedLog {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push([level, message, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)].join(' '));
      for (const wake of waiting) wake();
    };
  return {
    log: { error: at('error'), warn: at('warn'), info: at('info'), debug() {} },
    lines,
    line: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
