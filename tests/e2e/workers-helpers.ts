import assert from 'node:assert/strict';
import { askStatus } from '../../lib/cli/process/control-client.ts';
import { controlFolder, controlSocket } from '../../lib/cli/process/control-folder.ts';
import type { WorkerStatus } from '../../lib/workers/lead.ts';
import type { ServerProcess } from './helpers.ts';

export const WITHIN_MS = 30_000;

/** What `bakeserv status` shows of a server of this user. */
export async function statusOf({ child }: Pick<ServerProcess, 'child'>) {
  const status = await askStatus(controlSocket(controlFolder(), child.pid!));
  assert.ok(status, 'the server answers');
  return status;
}

/** Its workers, by their numbers. */
export async function workersOf(server: Pick<ServerProcess, 'child'>): Promise<readonly WorkerStatus[]> {
  return (await statusOf(server)).workers!.toSorted((a, b) => a.worker - b.worker);
}
