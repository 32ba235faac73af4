import { completionScript } from '../lib/cli/client/completion.ts';
import { manPage } from '../lib/cli/client/man.ts';
import { clientsDocument } from '../lib/cli/client/markdown.ts';
import { HASH_CLIENT } from '../lib/cli/hashclient/program.ts';
import { packageVersion } from '../lib/cli/main.ts';
import { PR_CLIENT } from '../lib/cli/prclient/program.ts';

const version = await packageVersion();

/** What is generated from the clients' command tables: its path from the root, and what it must hold. */
export function clientFiles(): ReadonlyMap<string, string> {
  const programs = [HASH_CLIENT, PR_CLIENT];
  return new Map([
    ['docs/clients-reference.md', clientsDocument(programs)],
    ...programs.flatMap(
      (program) =>
        [
          [`contrib/man/${program.name}.1`, manPage(program, version)],
          [`contrib/completion/${program.name}.bash`, completionScript(program, 'bash')],
          [`contrib/completion/_${program.name}`, completionScript(program, 'zsh')],
          [`contrib/completion/${program.name}.fish`, completionScript(program, 'fish')],
        ] as const,
    ),
  ]);
}
