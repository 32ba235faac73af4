/** What is asked again for this many times as long as it took to find out: a hundredth of the time, however much there is to count. */
const TIMES = 100;

/**
 * Something that is costly to find out and that many ask for: they share what is known, and what is on its way. A failure
 * is not kept.
 * @param now a clock in milliseconds that never goes back
 */
export function createKept<T>(now: () => number = () => performance.now()): (find: () => Promise<T>) => Promise<T> {
  let known: Promise<T> | null = null;
  let until = Number.POSITIVE_INFINITY;
  return (find) => {
    if (known && now() < until) return known;
    const began = now();
    until = Number.POSITIVE_INFINITY;
    const finding = find();
    known = finding;
    finding.then(
      () => {
        until = now() + TIMES * (now() - began);
      },
      () => {
        known = null;
      },
    );
    return finding;
  };
}
