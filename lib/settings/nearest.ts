/**
 * The name that was probably meant: the one with the fewest letters added, dropped, changed or swapped with a
 * neighbour, if that is few for its length; otherwise null.
 */
export function nearest(given: string, names: readonly string[]): string | null {
  let best: string | null = null;
  // A name of which no letter stays was not meant.
  let least = Math.min(given.length, Math.max(1, Math.floor(given.length / 3)) + 1);
  for (const name of names) {
    // So many letters are added or dropped at least.
    if (Math.abs(given.length - name.length) >= least) continue;
    const distance = editDistance(given, name);
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best;
}

/** `; did you mean X?`, or an empty text. */
export function didYouMean(given: string, names: readonly string[]): string {
  const meant = nearest(given, names);
  return meant === null ? '' : `; did you mean ${meant}?`;
}

function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(changed, above[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
