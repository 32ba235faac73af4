import type { Args } from './args.ts';
import type { AnyProgram, Command } from './table.ts';

/** The shells that a completion script can be written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes the program's commands and options, from its table. */
export async function completionScript(program: AnyProgram, shell: Shell): Promise<string> {
  if (shell === 'bash') return (await import('./completion-bash.ts')).bashCompletion(program);
  if (shell === 'zsh') return (await import('./completion-zsh.ts')).zshCompletion(program);
  return (await import('./completion-fish.ts')).fishCompletion(program);
}

/**
 * `completion SHELL`, as a row of a program's table.
 * @param program the table the row is in
 */
export function completionCommand(name: string, program: () => AnyProgram): Command<{ readonly args: Args }> {
  return {
    describe: 'Print a script that completes commands and options in a shell',
    arguments: [{ name: 'SHELL', describe: 'Which one', choices: SHELLS }],
    examples: [[`source <(${name} completion bash)`, 'for this shell; or in ~/.bashrc']],
    run: async ({ args }) => {
      process.stdout.write(await completionScript(program(), args.need('SHELL') as Shell));
      return undefined;
    },
  };
}
