/**
 * Files of tests that take more than 10 s, the longest first; `npm run test:all` prints what they took. Only the time of
 * the whole suite depends on this list.
 */
const LONG: readonly string[] = [
  'tests/e2e/proxies.test.ts',
  'tests/wire/conformance-tls.test.ts',
  'tests/e2e/postgres.test.ts',
  'tests/e2e/config-check.test.ts',
  'tests/e2e/build-folder.test.ts',
  'tests/e2e/status-check.test.ts',
  'tests/e2e/auto.test.ts',
  'tests/e2e/dropin.test.ts',
  'tests/postgres/wire.test.ts',
  'tests/wire/stream-bytes.test.ts',
  'tests/e2e/lease.test.ts',
  'tests/e2e/two-writers.test.ts',
  'tests/postgres/faults.test.ts',
  'tests/e2e/backup.test.ts',
  'tests/wire/garbage.test.ts',
  'tests/wire/conformance.test.ts',
  'tests/e2e/prclient.test.ts',
  'tests/wire/own-answers.test.ts',
  'tests/wire/model.test.ts',
  'tests/e2e/warm.test.ts',
  'tests/e2e/install-docs.test.ts',
  'tests/e2e/damaged.test.ts',
  'tests/e2e/run.test.ts',
  'tests/contract/pr-memory.test.ts',
  'tests/e2e/locked.test.ts',
  'tests/e2e/prclient-import.test.ts',
];

/** The files in the order in which to start them: the last to end should be a short one. */
export function longestFirst(files: readonly string[]): string[] {
  const rest = files.filter((file) => !LONG.includes(file));
  return [...LONG.filter((file) => files.includes(file)), ...rest.sort()];
}

/** What the slowest files took, for the end of the output. */
export function slowest(tookMs: ReadonlyMap<string, number>): string {
  const lines = [...tookMs]
    .filter(([, ms]) => ms > 5000)
    .sort(([, a], [, b]) => b - a)
    .map(([file, ms]) => `# ${(ms / 1000).toFixed(1).padStart(6)} s ${file}\n`);
  return lines.length === 0 ? '' : `# files of tests that took more than 5 s\n${lines.join('')}`;
}
