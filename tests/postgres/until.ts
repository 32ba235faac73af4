/** Resolves when this is so. Rejects after 30 s: the machine may be busy. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const giveUpAt = performance.now() + 30_000; !(await isSo()); ) {
    if (performance.now() > giveUpAt) throw new Error(`not within 30 s: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
