import path from 'node:path';
import type { ServiceName } from '../../transfer/parts.ts';

export interface CloneConfig {
  /** What it was made of; no password in it. */
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly made: string;
  /** Where the databases are when all is done. */
  readonly folder: string;
  readonly services: ReadonlySet<ServiceName>;
  readonly port: number;
  readonly withUsers: boolean;
}

/** The database of each service, as servers name them without settings. */
export const FILES: Readonly<Record<ServiceName, string>> = { hashserv: 'hashserv.db', prserv: 'prserv.sqlite3' };

export const CONFIG_FILE = 'bakeserv.yaml';

/** The command that starts it, for a shell. */
export function startCommand(folder: string): string {
  const file = path.join(folder, CONFIG_FILE);
  const quoted = /^[\w./@%+=:,-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
  return `bakeserv serve --config ${quoted}`;
}

/** The configuration to start a clone with. No secret is in it: whoever may read the folder may read it. */
export function configText({ source, made, folder, services, port, withUsers }: CloneConfig): string {
  // JSON is YAML, whatever is in a path or a name.
  const text = (value: string) => JSON.stringify(value);
  const service = (name: ServiceName) =>
    services.has(name) ? `${name}-db: ${text(path.join(folder, FILES[name]))}` : `${name}: false`;
  return `# A clone of ${text(source)}, made ${made} by "bakeserv clone".
#
# Started by:   ${oneLine(startCommand(folder))}
# Every option: bakeserv config print, or docs/options.md

# Local builders take the socket, others a port. Port ${port} was free when this was written.
bind:
  - address: ${text(`unix://${path.join(folder, 'hashserve.sock')}`)}
  - address: "127.0.0.1:${port}"
  # For builders on other machines, instead of the line before:
  # - address: ":${port}"

${services.has('hashserv') ? '# Hash equivalence.' : '# The source had no hash equivalence.'}
${service('hashserv')}

${services.has('prserv') ? '# PR values. Both servers count on from here, each by itself: the same value may then mean two packages. Let builds that\n# feed one package repository use one of them, or name the other as prserv-upstream.' : '# The source had no PR values.'}
${service('prserv')}
# prserv-upstream: "HOST:PORT"

# Users and their tokens ${withUsers ? 'were copied' : 'were not copied. The first one is made with admin-user, and BAKESERV_ADMIN_PASSWORD in the environment'}.
# admin-user: "admin"
`;
}

/** For a comment: a path may hold anything. */
function oneLine(command: string): string {
  return /[\n\r\u0085\u2028\u2029]/.test(command) ? 'bakeserv serve --config, and this file' : command;
}
