import { InvokeError } from '../../errors.ts';
import { nameOf, readLines } from '../../files/lines.ts';

/** `method taskhash` as a server accepts it: without control characters, at most 256 characters each. */
export const TASK = /^[^\s\p{Cc}]{1,256} [^\s\p{Cc}]{1,256}$/u;

/**
 * The tasks of a file, or of standard input for `-`, in groups as they come; empty lines and those that begin with `#`
 * are skipped. Memory stays bounded.
 * @throws InvokeError for a line that is not a task, naming the line
 */
export async function* readTasks(file: string): AsyncGenerator<string[]> {
  for await (const lines of readLines(file)) {
    const tasks: string[] = [];
    for (const { text, number } of lines) {
      if (text === '' || text.startsWith('#')) continue;
      if (!TASK.test(text)) throw new InvokeError(`${nameOf(file)}, line ${number}: expected "method taskhash"`);
      tasks.push(text);
    }
    if (tasks.length > 0) yield tasks;
  }
}

/** The method and the taskhash of such a line. */
export function taskOf(line: string): { method: string; taskhash: string } {
  const blank = line.indexOf(' ');
  return { method: line.slice(0, blank), taskhash: line.slice(blank + 1) };
}
