import { serveAsWorker } from '../../workers/serve.ts';
import { UsageError } from '../args/usage-error.ts';
import { ignoreOutput } from '../output.ts';

/** `bakeserv worker`: one process of a server with `--workers`, which starts it. */
export async function run(): Promise<number> {
  if (!process.connected) throw new UsageError('worker: bakeserv serve --workers starts it by itself');
  ignoreOutput();
  // At once: while a database is being opened, nothing else would end it.
  process.exit(await serveAsWorker());
}
