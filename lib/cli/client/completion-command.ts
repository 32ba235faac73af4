import type { Args } from './arguments.ts';
import type { AnyProgram } from './help.ts';
import type { Out } from './out.ts';
import type { CommandSpec } from './table.ts';

/** The shells that a completion script can be written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** `completion SHELL` of a program, as a row of its table. */
export function completionCommand(
  name: string,
  program: () => AnyProgram,
): CommandSpec<{ readonly args: Args; readonly out: Out }> {
  return {
    describe: 'Print a script that completes commands and options in a shell',
    arguments: [{ name: 'SHELL', describe: 'bash, zsh or fish', choices: SHELLS }],
    examples: [[`source <(${name} completion bash)`, 'for this shell; or in ~/.bashrc']],
    run: async ({ args, out }) => {
      const { completionScript } = await import('./completion.ts');
      await out.line(completionScript(program(), args.need('SHELL') as Shell).trimEnd());
      return undefined;
    },
  };
}
