import type { JobKind } from '../../jobs/kind.ts';
import { hashFileKinds } from './file-kinds.ts';
import { gcKinds, type HashJobParts } from './gc-kinds.ts';
import { sharedStateKind } from './shared-state-kind.ts';

/** The kinds of job of hash equivalence (docs/jobs.md). */
export function hashKinds(parts: HashJobParts): readonly JobKind[] {
  return [...gcKinds(parts), ...hashFileKinds(parts), sharedStateKind(parts.store, parts.sharedState)];
}
