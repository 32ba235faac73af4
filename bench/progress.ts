const WIDTH = 30;

/** A bar on stderr, for people: nothing is written when stderr is not a terminal. */
export interface Progress {
  show(done: number, total: number, text: string): void;
  clear(): void;
}

export function createProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  if (!out.isTTY) return { show() {}, clear() {} };
  return {
    show(done, total, text) {
      const full = Math.round((WIDTH * done) / Math.max(1, total));
      const line = `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${text}`;
      out.write(`\r\x1b[2K${line.slice(0, out.columns ?? 80)}`);
    },
    clear: () => void out.write('\r\x1b[2K'),
  };
}
