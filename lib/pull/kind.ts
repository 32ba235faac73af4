import type { JobKind } from '../jobs/kind.ts';
import { checkParameters, PULL_PARAMETERS, type PullParameters, selectionOf } from './parameters.ts';
import type { PullParts } from './parts.ts';

/** What names files of this machine, or sends a token of its netrc somewhere. */
const OF_OWNER = ['user', 'token_file', 'ca', 'tls_cert', 'tls_key'] as const;

/**
 * Takes what another server has into this one (docs/publishing.md). PR values first, as they may be
 * refused: then no hashes come either. It names files of this machine and dials: only for the server's own user, but for
 * sources that this user has named beforehand.
 * @param open sources that administrators may pull from, as long as they say nothing of how they are opened
 */
export function pullKind(parts: PullParts, open: readonly string[] = []): JobKind<PullParameters> {
  const databaseOf = (parameters: PullParameters): string | null => {
    const { hashes, prs } = selectionOf(parameters);
    return (hashes ? parts.hashes?.database : undefined) ?? (prs ? parts.prs?.database : undefined) ?? null;
  };
  return {
    name: 'pull',
    describe: 'Takes the hashes and PR values of another server, a database or an export into this one',
    parameters: PULL_PARAMETERS,
    counts: 'rows',
    resumable: true,
    access(parameters) {
      const isOpen = open.includes(parameters.source) && OF_OWNER.every((name) => parameters[name] === undefined);
      if (!isOpen) return 'owner';
      return parts.hashes ? 'hashserv' : 'prserv';
    },
    writes: (parameters) => (parameters.dry_run ? null : databaseOf(parameters)),
    check: checkParameters,
    // A server that never pulls loads no clients.
    async *run(job, from) {
      const { Pull } = await import('./pull.ts');
      return yield* new Pull(parts, job).run(from);
    },
  };
}
