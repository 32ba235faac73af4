import { AddressError } from '../../errors.ts';
import { describeError, packageVersion, UsageError, unknownCommand, usageText } from '../main.ts';
import { endWithOutput } from '../output.ts';
import { Args, readArguments, readFlags } from './arguments.ts';
import { commandHelp, HELP_FLAG, programFlags, programHelp } from './help.ts';
import { createOut, type Out } from './out.ts';
import type { CommandSpec, ProgramSpec } from './table.ts';

/**
 * Runs a client program and ends the process with its status: also while something still waits for standard input,
 * as it does when a server refuses what is being read.
 */
export async function main<Call>(program: ProgramSpec<Call>, words: readonly string[]): Promise<never> {
  const status = await runProgram(program, words);
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
  }
  process.exit(status);
}

/**
 * Runs a client program.
 * @returns the exit status: 0, 1 for a refused or failed call, 2 for wrong usage
 */
async function runProgram<Call>(program: ProgramSpec<Call>, words: readonly string[]): Promise<number> {
  endWithOutput(program.name);
  const globals = new Args();
  let asked = program.name;
  let out = createOut(words.includes('--json'));
  try {
    const [name, ...rest] = readFlags(words, programFlags(program), globals, { stopAtWord: true });
    if (globals.has('help') || name === 'help') return await say(out, programHelp(program));
    if (globals.has('version')) return await say(out, await packageVersion());
    if (name === undefined) throw new UsageError('a command is missing');
    const command = Object.hasOwn(program.commands, name) ? program.commands[name]! : null;
    if (!command) throw new UsageError(unknownCommand(name, program.commands));
    asked = `${program.name} ${name}`;
    const args = new Args();
    const own = [...(command.flags ?? []), HELP_FLAG];
    const positional = readFlags(rest, own, args, { others: program.flags, otherArgs: globals });
    if (args.has('help')) return await say(out, commandHelp(program, name));
    for (const flag of command.flags ?? []) {
      if (flag.required && !args.has(flag.name)) throw new UsageError(`${name}: --${flag.name} is missing`);
    }
    readArguments(positional, command.arguments ?? [], args);
    out = createOut(globals.has('json'));
    return await runCommand(program, command, globals, args, out);
  } catch (error) {
    return report(program.name, asked, error, out);
  }
}

async function runCommand<Call>(
  program: ProgramSpec<Call>,
  command: CommandSpec<Call>,
  globals: Args,
  args: Args,
  out: Out,
): Promise<number> {
  const call = program.open(globals, args, out);
  try {
    return (await command.run(call)) ?? 0;
  } finally {
    program.close(call);
  }
}

async function say(out: Out, text: string): Promise<number> {
  await out.line(text);
  return 0;
}

function report(program: string, asked: string, error: unknown, out: Out): number {
  const misread = error instanceof AddressError && !error.cause && error.message.startsWith('address ');
  if (error instanceof UsageError || misread) {
    if (out.json) out.error(error.message);
    else out.note(`${program}: ${misread ? error.message : usageText(asked, error)}`);
    return 2;
  }
  out.error(describeError(error));
  return 1;
}
