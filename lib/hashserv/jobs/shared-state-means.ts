import path from 'node:path';
import { MAX_PAUSES_MS } from '../../insights/shared-state/mirror-rules.ts';
import type { Config } from '../../settings/config.ts';
import type { SharedStateMeans } from './shared-state-kind.ts';

/** A mirror of others is not asked more than this in one job. */
const LIMITS = { atOnce: 8, timeoutMs: 10_000, maxRequests: 20_000, maxPausesMs: MAX_PAUSES_MS };

/** What unihashes may be compared with (`--sstate-dir`, `--sstate-mirror`); null: nothing. */
export function sharedStateMeans({ sharedState, jobs }: Pick<Config, 'sharedState' | 'jobs'>): SharedStateMeans | null {
  const { folder, mirror, names: templates, pkgarchs } = sharedState;
  const memory = path.join(path.dirname(jobs.file), 'bakeserv-shared-state');
  if (folder !== null) return { place: { kind: 'folder', folder }, memory };
  if (mirror === null) return null;
  return { place: { kind: 'mirror', address: mirror, limits: LIMITS, rule: { templates, pkgarchs } }, memory };
}
