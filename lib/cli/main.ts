import { AddressError, BakeservError, type ErrorCode, errorText } from '../errors.ts';
import { packageVersion } from '../package-version.ts';
import { readCommandLine } from './args/run.ts';
import type { AnyProgram, Program } from './args/table.ts';
import { UsageError } from './args/usage-error.ts';
import { endWithOutput } from './output.ts';

/** Exit statuses other than 1. A corrupt database has its own: starting again would not fix it. */
const STATUSES: Partial<Record<ErrorCode, number>> = { 'config-error': 2, 'storage-corrupt': 3 };

/** How a program reports errors on stderr. */
export interface Reporter {
  /** @param hint where to read more, or an empty text */
  usage(message: string, hint: string): void;
  /** Returns the exit status. */
  failure(message: string, error: unknown): number;
}

/** `PROGRAM: what went wrong`; for whoever asked a command for JSON as that. */
function named({ name, commands }: AnyProgram, words: readonly string[]): Reporter {
  const [command = ''] = words;
  const hasJson = Object.hasOwn(commands, command) && commands[command]!.options?.some((each) => each.name === 'json');
  const isJson = hasJson && words.includes('--json');
  const write = (message: string, hint = '') =>
    void process.stderr.write(isJson ? `${JSON.stringify({ error: message })}\n` : `${name}: ${message}${hint}\n`);
  return {
    usage: write,
    failure(message, error) {
      write(message);
      return error instanceof BakeservError ? (STATUSES[error.code] ?? 1) : 1;
    },
  };
}

/**
 * Runs a program.
 * @returns the exit status: 0, 1 for an error, 2 for wrong usage, 3 for a corrupt database, or the command's own
 */
export async function runProgram<Call>(
  program: Program<Call>,
  words: readonly string[],
  reporter: Reporter = named(program, words),
): Promise<number> {
  endWithOutput(program.name);
  let asked = program.name;
  try {
    const call = await readCommandLine(program, words, (name) => {
      asked = `${program.name} ${name}`;
    });
    if (call.kind === 'command') return await call.run();
    process.stdout.write(`${call.kind === 'version' ? packageVersion() : call.text}\n`);
    return 0;
  } catch (error) {
    return report(asked, error, reporter);
  }
}

/** Ends the process with the status once all output is written, even while something still reads standard input. */
export async function exit(status: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
  }
  // A failed write is reported in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(status);
}

/** @param asked the program and the command that was called: its help is suggested */
function report(asked: string, error: unknown, reporter: Reporter): number {
  // An invalid address on the command line is wrong usage too. One that cannot be reached has a cause.
  const misread = error instanceof AddressError && !error.cause && error.message.startsWith('address ');
  if (error instanceof UsageError || misread) {
    reporter.usage(error.message, misread ? '' : `\nTry '${asked} --help'.`);
    return 2;
  }
  return reporter.failure(describeError(error), error);
}

/** The text of an error; with its stack, unless it is one of ours or the system's. */
export function describeError(error: unknown): string {
  if (error instanceof BakeservError || !(error instanceof Error)) return errorText(error);
  const fromSystem = 'syscall' in error && 'code' in error;
  return fromSystem ? errorText(error) : (error.stack ?? error.message);
}
