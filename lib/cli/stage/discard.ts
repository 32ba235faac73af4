import { AddressError, InvokeError } from '../../errors.ts';
import { tryLock } from '../../lock.ts';
import { stopRunning } from '../auto/ensure.ts';
import { makeFolder } from '../auto/place.ts';
import { requireConsent } from '../client/consent.ts';
import type { ServerCall } from '../commands/call.ts';
import { askStatus } from '../process/control-client.ts';
import { removeRests, removeStage, requireStage, requireStill, type Stage, stageName, stagesFolder } from './place.ts';

/** `bakeserv discard NAME`. */
export async function run({ args }: ServerCall): Promise<number> {
  const name = stageName(args.need('NAME'));
  const folder = stagesFolder(args, process.env);
  removeRests(folder, name);
  const stage = requireStage(folder, name);
  const requireUnused = async () => (args.has('force') ? undefined : await refuseWhileUsed(stage));
  await requireUnused();
  if (!args.has('yes')) {
    await requireConsent(`Drop the stage ${name}, with all that is new in it?`, `drop ${name}`);
    // Whoever thinks it over gives builds the time to begin.
    await requireUnused();
  }
  requireStill(folder, stage);
  await stopRunning(stage.place);
  await removeStopped(folder, stage);
  process.stdout.write(args.has('json') ? `${JSON.stringify({ discarded: name })}\n` : `discarded ${name}\n`);
  return 0;
}

/** @throws InvokeError when somebody is connected */
async function refuseWhileUsed({ record, place }: Stage): Promise<void> {
  const clients = (await askStatus(place.control))?.clients ?? 0;
  if (clients === 0) return;
  throw new InvokeError(
    `a build is on in the stage ${record.name}, or its publication (clients: ${clients}): wait for its end, or drop the stage all the same with --force`,
  );
}

/** With the lock of its server, so that no other can begin in files that are about to go. */
async function removeStopped(folder: string, stage: Stage): Promise<void> {
  requireStill(folder, stage);
  makeFolder(stage.place);
  const lock = await tryLock(stage.place.lock);
  if (!lock) throw new AddressError(`the stage ${stage.record.name} was started again meanwhile: nothing was removed`);
  try {
    requireStill(folder, stage);
    removeStage(stage);
  } finally {
    await lock.release();
  }
}
