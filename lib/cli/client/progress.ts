/** How far a long command is, shown on stderr where that is a terminal and nowhere else. */
export interface Progress {
  /** That many more are done. */
  add(count: number): void;
  /** Says how many there are in all, once that is known. */
  setTotal(total: number): void;
  /** Ends the line, so that what is written next stands on its own. Harmless when called twice. */
  stop(): void;
}

const SILENT: Progress = { add() {}, setTotal() {}, stop() {} };

/**
 * @param what the things counted, in the plural
 * @param total how many there will be, or null when nobody knows
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
    // What is changed of the terminal stays changed when Ctrl-C ends the program: nothing is.
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
