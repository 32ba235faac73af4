import type { Flags } from '../../settings/settings.ts';
import type { Args } from '../args/args.ts';

/** What a subcommand of bakeserv gets. */
export interface ServerCall {
  readonly args: Args;
  /** The options that were given, as settings take them. */
  readonly flags: Flags;
  /** The command line after the command's name, as it was written. */
  readonly words: readonly string[];
}
