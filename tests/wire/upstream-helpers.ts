import type { Limits } from '../../lib/asyncrpc/limits.ts';
import { type Logger, SILENT } from '../../lib/log.ts';
import { type App, createApp } from '../../lib/server.ts';
import { configIn, MEMORY, temporaryFolder, WireClient } from './helpers.ts';

type Cleaner = { after(fn: () => void | Promise<void>): void };

/** A server whose clients talk to it in memory, and which others may name as their upstream. */
export interface Site {
  readonly app: App;
  readonly folder: string;
  /** A client that has sent nothing yet. */
  dial(): WireClient;
  hash(): WireClient;
  pr(): WireClient;
  close(): Promise<void>;
}

/** Starts a server with both services, their upstreams at `upstream` (null: none). */
export async function site(
  t: Cleaner,
  upstream: string | null,
  flags: Record<string, unknown> = {},
  { log = SILENT, limits = {}, folder = temporaryFolder(t as never) }: SiteOptions = {},
): Promise<Site> {
  const upstreams = upstream ? { 'hashserv-upstream': upstream, 'prserv-upstream': upstream } : {};
  const app = await createApp(configIn(folder, { 'sync-mode': 'on_shutdown', ...upstreams, ...flags }, limits), log);
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= app.close();
    return closed;
  };
  t.after(close);
  const { connect } = await MEMORY.open(app, {} as Limits, folder);
  const dial = () => new WireClient(connect() as never);
  const client = (protocol: string) => dial().handshake(protocol);
  return { app, folder, dial, hash: () => client('OEHASHEQUIV 1.1'), pr: () => client('PRSERVICE 1.0'), close };
}

interface SiteOptions {
  readonly log?: Logger;
  readonly limits?: Partial<Limits>;
  readonly folder?: string;
}

/** A log that can be read. */
export function recorder(): Logger & { readonly lines: string[]; count(text: string): number } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const count = (text: string) => lines.filter((line) => line.includes(text)).length;
  return { error: at('error'), warn: at('warn'), info: at('info'), debug() {}, lines, count };
}

/** Enters a stream command, sends lines and leaves it again. */
export async function stream(client: WireClient, command: string, lines: readonly string[]): Promise<string[]> {
  client.send(`${JSON.stringify({ [command]: null })}\n`);
  const entered = await client.line();
  if (entered !== '"ok"') throw new Error(`${command}: ${entered}`);
  client.send(`${lines.join('\n')}\nEND\n`);
  const answers: string[] = [];
  for (let i = 0; i < lines.length; i++) answers.push((await client.line())!);
  const end = await client.line();
  if (end !== 'ok') throw new Error(`END: ${end}`);
  return answers;
}
