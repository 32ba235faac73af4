import type { JobKind } from '../jobs/kind.ts';
import type { PullParts } from '../pull/parts.ts';
import {
  checkParameters,
  MOST_PARAMETER_BYTES,
  PROMOTE_PARAMETERS,
  type PromoteParameters,
  servicesOf,
} from './parameters.ts';

/**
 * Takes some packages of another server (docs/publishing.md, Promote): their PR values, and the tasks that were reported for
 * them with all that share their unihashes. It names files of this machine and dials: only for the server's own user.
 */
export function promoteKind(parts: PullParts): JobKind<PromoteParameters> {
  const databaseOf = (parameters: PromoteParameters): string | null => {
    const { hashes, prs } = servicesOf(parameters);
    return (hashes ? parts.hashes?.database : undefined) ?? (prs ? parts.prs?.database : undefined) ?? null;
  };
  return {
    name: 'promote',
    describe: 'Takes the PR values and hashes of some packages of another server into this one',
    parameters: PROMOTE_PARAMETERS,
    maxParameterBytes: MOST_PARAMETER_BYTES,
    counts: 'rows',
    resumable: true,
    access: () => 'owner',
    writes: (parameters) => (parameters.dry_run ? null : databaseOf(parameters)),
    check: checkParameters,
    // A server that never promotes loads no clients.
    async *run(job, from) {
      const { Promote } = await import('./promote.ts');
      return yield* new Promote(parts, job).run(from);
    },
  };
}
