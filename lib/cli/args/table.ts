import type { Option } from '../../settings/options.ts';
import type { Args } from './args.ts';

/** A positional argument. Only the last may be optional or take many. */
export interface Argument {
  readonly name: string;
  readonly describe: string;
  readonly optional?: true;
  readonly many?: true;
  readonly type?: 'integer' | 'number';
  readonly choices?: readonly string[];
  /** Its choices are commands of the command: another word is reported as an unknown one. */
  readonly isCommand?: true;
  /** It is written after `--`, with options that are its own. */
  readonly isBehindDashes?: true;
  /** What shells complete it with. */
  readonly completes?: 'file' | 'folder';
}

/** A subcommand. Its code is loaded only when it is called. */
export interface Command<Call> {
  readonly describe: string;
  /** More about it, for `--help`, the man page and the documents. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  readonly examples?: readonly (readonly [command: string, describe: string])[];
  /** Works, but is neither completed nor listed. */
  readonly hidden?: true;
  /** Resolves to the exit status; undefined means 0. */
  readonly run: (call: Call) => Promise<number | undefined>;
}

/**
 * A program: a table of subcommands. Its command line, help, man page, completions and reference pages are all read
 * from this table.
 */
export interface Program<Call> {
  readonly name: string;
  readonly about: string;
  /** More about it, for the man page. */
  readonly details: string;
  /** Options that every subcommand takes, before or after its name. */
  readonly options: readonly Option[];
  readonly commands: Readonly<Record<string, Command<Call>>>;
  readonly environment: readonly (readonly [name: string, describe: string])[];
  readonly files?: readonly (readonly [name: string, describe: string])[];
  readonly statuses: readonly (readonly [status: string, describe: string])[];
  /** Further sections of the man page. */
  readonly sections?: readonly (readonly [heading: string, text: string])[];
  /**
   * Makes what a call of a subcommand works with.
   * @param shared the program's options
   * @param args the subcommand's own options and arguments
   * @param words the command line after the subcommand's name, as it was written
   */
  readonly open: (shared: Args, args: Args, words: readonly string[]) => Call;
  /** Ends what `open` began; also called when the command failed. */
  readonly close: (call: Call) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: code that reads the table does not care what its commands are given
export type AnyProgram = Program<any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyCommand = Command<any>;

export const HELP: Option = { name: 'help', alias: 'h', type: 'boolean', describe: 'Show this help and exit' };
export const VERSION: Option = { name: 'version', type: 'boolean', describe: 'Show the version and exit' };

/** The options of the program itself. */
export function programOptions(program: AnyProgram): readonly Option[] {
  return [...program.options, VERSION, HELP];
}

/** The commands that are shown. */
export function shownCommands(program: AnyProgram): readonly (readonly [name: string, command: AnyCommand])[] {
  return Object.entries(program.commands).filter(([, { hidden }]) => !hidden);
}

/** A command's own options that are shown. */
export function ownOptions(command: AnyCommand): readonly Option[] {
  return (command.options ?? []).filter(({ hidden }) => !hidden);
}

/** Options of the program that the command does not define itself, without letters that the command uses. */
export function sharedOptions(program: AnyProgram, command: AnyCommand): readonly Option[] {
  const own = command.options ?? [];
  return [...program.options, VERSION, HELP]
    .filter(({ name }) => !own.some((each) => each.name === name))
    .map((option) => {
      const { alias, ...rest } = option;
      return alias && own.some((each) => each.alias === alias) ? rest : option;
    });
}

/** The names of an option's values, for help: none for a switch. */
export function valueNames({ type, values }: Option): readonly string[] {
  return type === 'boolean' ? [] : (values ?? ['VALUE']);
}
