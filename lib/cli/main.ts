import { BakeservError, type ErrorCode, errorText } from '../errors.ts';
import { didYouMean } from '../settings/nearest.ts';
import { endWithOutput } from './output.ts';

/** A subcommand: loaded only when it is asked for, so that every other one starts fast. */
export interface Subcommand {
  readonly describe: string;
  readonly load: () => Promise<{ run(args: readonly string[]): Promise<number> }>;
}

/** A wrong call: said on stderr with status 2. */
export class UsageError extends Error {}

/**
 * Runs the subcommand named first in `args`.
 * @returns the exit status: 0, 1 for an error, 2 for wrong usage
 */
export async function runCli(
  program: string,
  about: string,
  table: Readonly<Record<string, Subcommand>>,
  args: readonly string[],
): Promise<number> {
  endWithOutput(program);
  const [name, ...rest] = args;
  let asked = program;
  try {
    // `serve --version` must not load the server.
    if (args.includes('--version') && !args.includes('--')) {
      process.stdout.write(`${await packageVersion()}\n`);
      return 0;
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      process.stdout.write(overview(program, about, table));
      return 0;
    }
    const command = Object.hasOwn(table, name) ? table[name]! : null;
    if (!command) throw new UsageError(unknownCommand(name, table));
    asked = `${program} ${name}`;
    return await (await command.load()).run(rest);
  } catch (error) {
    return reportError(program, asked, error);
  }
}

/** Exit statuses other than 1. A damaged database is told apart: starting again would not mend it. */
const STATUSES: Partial<Record<ErrorCode, number>> = { 'config-error': 2, 'storage-corrupt': 3 };

/** What is said of a command that the table does not have. */
export function unknownCommand(name: string, table: object): string {
  return `unknown command ${JSON.stringify(name)}${didYouMean(name, Object.keys(table))}`;
}

/**
 * Says an error on stderr; returns the exit status that goes with it.
 * @param asked the program, with the command that was called: whose help tells more
 */
function reportError(program: string, asked: string, error: unknown): number {
  const usage = error instanceof UsageError;
  process.stderr.write(`${program}: ${usage ? usageText(asked, error) : describeError(error)}\n`);
  if (usage) return 2;
  return error instanceof BakeservError ? (STATUSES[error.code] ?? 1) : 1;
}

/** What a wrong call is told. */
export function usageText(asked: string, error: UsageError): string {
  return `${error.message}\nTry '${asked} --help'.`;
}

/** What to say of an error: where it came from too, unless it was foreseen or is the system's. */
export function describeError(error: unknown): string {
  if (error instanceof BakeservError || !(error instanceof Error)) return errorText(error);
  const fromSystem = 'syscall' in error && 'code' in error;
  return fromSystem ? errorText(error) : (error.stack ?? error.message);
}

function overview(program: string, about: string, table: Readonly<Record<string, Subcommand>>): string {
  const width = Math.max(...Object.keys(table).map((name) => name.length));
  const lines = Object.entries(table).map(([name, { describe }]) => `  ${name.padEnd(width)}  ${describe}`);
  return `${about}\n\nUsage: ${program} COMMAND [options]\n\nCommands:\n${lines.join('\n')}\n\n'${program} COMMAND --help' shows the options of a command, --version the version.\n`;
}

/** The version in package.json, which lies above lib and above dist/lib. */
export async function packageVersion(): Promise<string> {
  const { readFileSync } = await import('node:fs');
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (found.name === 'bakeserv') return found.version;
    } catch {
      // Not at this level.
    }
  }
  return 'unknown';
}
