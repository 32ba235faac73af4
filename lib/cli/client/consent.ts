import { createInterface } from 'node:readline';
import { InvokeError } from '../../errors.ts';

/** Whether there is somebody to ask. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * Asks the person at the terminal.
 * @param question ends with a question mark
 * @param what in words, for whoever cannot be asked: "say --yes to …"
 * @throws InvokeError when nobody can be asked, or the answer is no
 */
export async function requireConsent(question: string, what: string): Promise<void> {
  const nothing = 'nothing was changed';
  if (!canAsk()) throw new InvokeError(`${nothing}: say --yes to ${what}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.question(`${question} [y/N] `, resolve);
    // The end of the input, or Ctrl-C, is a no.
    terminal.on('close', () => resolve(''));
  });
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new InvokeError(nothing);
}
