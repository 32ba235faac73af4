import { bashCompletion } from '../lib/cli/args/completion-bash.ts';
import { fishCompletion } from '../lib/cli/args/completion-fish.ts';
import { zshCompletion } from '../lib/cli/args/completion-zsh.ts';
import { manPage } from '../lib/cli/args/man.ts';
import { clientsDocument, serverDocument } from '../lib/cli/args/markdown.ts';
import type { AnyProgram } from '../lib/cli/args/table.ts';
import { HASH_CLIENT } from '../lib/cli/hashclient/program.ts';
import { PR_CLIENT } from '../lib/cli/prclient/program.ts';
import { SERVER } from '../lib/cli/server-program.ts';
import { openApiDocument } from '../lib/http/api/app.ts';
import { metricsDocument } from '../lib/metrics/markdown.ts';
import { settingsSchema } from '../lib/settings/schema.ts';
import { dashboard } from './dashboard.ts';

const PROGRAMS: readonly AnyProgram[] = [SERVER, HASH_CLIENT, PR_CLIENT];

/** Every generated file of the repository: its path from the root, and what it must hold. */
export async function generatedFiles(version: string): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['contrib/bakeserv.schema.json', `${JSON.stringify(settingsSchema(), null, 2)}\n`],
    ['docs/openapi.json', `${JSON.stringify(await openApiDocument(), null, 2)}\n`],
    ['docs/options.md', serverDocument(SERVER)],
    ['docs/metrics.md', metricsDocument()],
    ['contrib/grafana/bakeserv.json', `${JSON.stringify(dashboard(), null, 2)}\n`],
    ['docs/clients-reference.md', clientsDocument([HASH_CLIENT, PR_CLIENT])],
    ...PROGRAMS.flatMap((program) => [
      [`contrib/man/${program.name}.1`, manPage(program, version)] as const,
      [`contrib/completion/${program.name}.bash`, bashCompletion(program)] as const,
      [`contrib/completion/_${program.name}`, zshCompletion(program)] as const,
      [`contrib/completion/${program.name}.fish`, fishCompletion(program)] as const,
    ]),
  ]);
}
