import { reasonOf } from '../errors.ts';

/** The status of a program that wrote to a closed pipe, as shells know it: 128 + SIGPIPE. */
const STATUS_CLOSED_PIPE = 141;

/**
 * Ends the program when its output cannot be written: silently when the reader went away, like other programs in a
 * pipe, otherwise with the reason.
 */
export function endWithOutput(program: string): void {
  const end = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(STATUS_CLOSED_PIPE);
    process.stderr.write(`${program}: cannot write the output: ${reasonOf(error)}\n`, () => process.exit(1));
  };
  process.stdout.on('error', end);
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? STATUS_CLOSED_PIPE : 1);
  });
}

/** For a program that may outlive the reader of its output. */
export function ignoreOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}
