import { InvokeError } from '../errors.ts';
import { type JobKind, parametersOf } from '../jobs/kind.ts';
import { pullKind } from '../pull/kind.ts';
import type { PullParts } from '../pull/parts.ts';
import type { Mirror } from './mirror.ts';

interface MirrorParameters {
  readonly source: string;
}

const SOURCE = { type: 'string', minLength: 1, maxLength: 4096, format: 'text' };

/**
 * A run of a mirror: a pull by what `--mirror` says now, whatever it said when the job was started.
 * @param find the mirror of a source; null where none is configured
 */
export function mirrorKind(parts: PullParts, find: (source: string) => Mirror | null): JobKind<MirrorParameters> {
  const pull = pullKind(parts);
  const need = (source: string): Mirror => {
    const mirror = find(source);
    if (mirror) return mirror;
    throw new InvokeError(`mirror: ${source} is no mirror of this server (--mirror)`, undefined, 'missing');
  };
  return {
    name: 'mirror',
    describe: 'Takes what is new in a server that is mirrored',
    parameters: parametersOf({ source: SOURCE }, ['source']),
    counts: pull.counts,
    resumable: true,
    isRoutine: true,
    access: () => 'owner',
    writes: ({ source }) => pull.writes(find(source)?.parameters ?? { source }),
    // What is mirrored is looked up when it runs: a client that may start none would learn it from a refusal.
    async *run(job, from) {
      const mirror = need(job.parameters.source);
      const run = mirror.begin(from === null);
      try {
        const result = yield* pull.run({ ...job, parameters: mirror.parameters }, from);
        run.level(result);
        return result;
      } catch (error) {
        // Whatever it waited for was given up.
        if (!job.signal.aborted) run.failed(error);
        throw error;
      } finally {
        run.over();
      }
    },
  };
}
