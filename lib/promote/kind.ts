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
 * @param requireFile throws InvokeError for a file that a job must not touch
 */
export function promoteKind(parts: PullParts, requireFile: (file: string) => void): JobKind<PromoteParameters> {
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
    check(parameters) {
      checkParameters(parameters);
      if (parameters.list_file !== undefined) requireFile(parameters.list_file);
    },
    // A server that never promotes loads no clients.
    async *run(job, from) {
      const { Promote } = await import('./promote.ts');
      const { list_file: file } = job.parameters;
      if (file === undefined) return yield* new Promote(parts, job, null).run(from);
      requireFile(file);
      const { openListFile } = await import('./list-file.ts');
      const all = await openListFile(file);
      try {
        const result = yield* new Promote(parts, job, all).run(from);
        await all.commit();
        return result;
      } finally {
        await all.abandon();
      }
    },
  };
}
