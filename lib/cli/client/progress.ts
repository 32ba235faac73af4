/** The progress of a long command; shown on stderr if that is a terminal. */
export interface Progress {
  /** Adds to the number done. */
  add(count: number): void;
  /** Sets the total, once it is known. */
  setTotal(total: number): void;
  /** Ends the line, so that the next output starts on a new one. May be called twice. */
  stop(): void;
}

const SILENT: Progress = { add() {}, setTotal() {}, stop() {} };

/**
 * @param what is counted, in the plural
 * @param total how many there will be, or null if unknown
 */
export async function createProgress(what: string, total: number | null): Promise<Progress> {
  if (!process.stderr.isTTY) return SILENT;
  const { SingleBar } = (await import('cli-progress')).default;
  const known = `{bar} {percentage}% | {value}/{total} ${what} | {duration_formatted}, {eta_formatted} left`;
  const unknown = `{value} ${what} | {duration_formatted}`;
  const bar = new SingleBar({
    stream: process.stderr,
    format: total === null ? unknown : known,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
    fps: 10,
    etaBuffer: 1000,
    // No terminal setting is changed: it would stay changed when Ctrl-C ends the program.
    hideCursor: false,
    linewrap: true,
  });
  bar.start(total ?? 0, 0);
  let stopped = false;
  return {
    add: (count) => bar.increment(count),
    setTotal: (count) => bar.setTotal(count),
    stop() {
      if (!stopped) bar.stop();
      stopped = true;
    },
  };
}
