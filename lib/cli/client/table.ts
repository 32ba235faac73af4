import type { Args } from './arguments.ts';
import type { Out } from './out.ts';

/** An option of a client command. Command line, help, completion and man pages are all read from this row. */
export interface FlagSpec {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Names of the values it takes; none: a switch. */
  readonly values?: readonly string[];
  /** May be given several times, and every one counts. */
  readonly repeats?: true;
  readonly required?: true;
  readonly type?: 'integer' | 'number';
  readonly choices?: readonly string[];
  /** What holds without it, for the help. */
  readonly default?: string;
  readonly describe: string;
  /** What a shell offers to complete its value. */
  readonly completes?: 'file' | 'folder';
}

/** A positional argument. Only the last may be optional or take many. */
export interface ArgumentSpec {
  readonly name: string;
  readonly describe: string;
  readonly optional?: true;
  readonly many?: true;
  readonly type?: 'integer' | 'number';
  readonly choices?: readonly string[];
  readonly completes?: 'file' | 'folder';
}

/** A subcommand; what runs it is loaded only when it is asked for. */
export interface CommandSpec<Call> {
  readonly describe: string;
  /** More about it, for `--help` and the man page. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly flags?: readonly FlagSpec[];
  readonly examples?: readonly (readonly [command: string, describe: string])[];
  /** Resolves to the exit status; nothing means 0. */
  readonly run: (call: Call) => Promise<number | undefined>;
}

/** A client program: a table of subcommands. */
export interface ProgramSpec<Call> {
  readonly name: string;
  readonly about: string;
  /** More about it, for the man page. */
  readonly details: string;
  /** Options that every subcommand takes, before or after its name. */
  readonly flags: readonly FlagSpec[];
  readonly commands: Readonly<Record<string, CommandSpec<Call>>>;
  readonly environment: readonly (readonly [name: string, describe: string])[];
  readonly files?: readonly (readonly [name: string, describe: string])[];
  /** What a call of a subcommand is given. */
  readonly open: (globals: Args, args: Args, out: Out) => Call;
  /** Ends what `open` began; called also when the command failed. */
  readonly close: (call: Call) => void;
}
