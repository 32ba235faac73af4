import { inspect } from 'node:util';

/** A test that failed, as node:test tells it. */
export interface FailedTest {
  readonly name: string;
  /** From the root of the checkout. */
  readonly file: string;
  readonly details: { readonly error: Error };
}

/** Of each failure: enough to go on with where only the end of a long output was kept. */
const SHOWN_CHARACTERS = 1500;

/** Which tests failed and why, for the end of the output. A suite that failed for a test in it is left out. */
export function failures(failed: readonly FailedTest[]): string {
  const lines = failed
    .filter(({ details }) => (details.error as { failureType?: string }).failureType !== 'subtestsFailed')
    .flatMap(({ name, file, details }) => {
      const { cause } = details.error;
      const why = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause ?? details.error);
      const shown = why.length > SHOWN_CHARACTERS ? `${why.slice(0, SHOWN_CHARACTERS)} […]` : why;
      return [`# ${file}: ${name}`, ...shown.split('\n').map((line) => `#     ${line}`)];
    });
  return lines.length === 0 ? '' : `# tests that failed\n${lines.join('\n')}\n`;
}
