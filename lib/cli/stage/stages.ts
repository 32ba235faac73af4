import type { ServerCall } from '../commands/call.ts';
import type { ServerStatus } from '../process/control.ts';
import { askStatus } from '../process/control-client.ts';
import { allStages, type Stage, stagesFolder } from './place.ts';

/** `bakeserv stages`. */
export async function run({ args }: ServerCall): Promise<number> {
  const folder = stagesFolder(args, process.env);
  const stages = allStages(folder);
  const found = await Promise.all(stages.map(async (stage) => ({ stage, status: await statusOf(stage) })));
  if (args.has('json')) process.stdout.write(`${JSON.stringify(found.map(toJson), null, 2)}\n`);
  else if (found.length === 0) process.stderr.write(`bakeserv: there are no stages in ${folder}\n`);
  else process.stdout.write(found.map(describe).join(''));
  return 0;
}

interface Found {
  readonly stage: Stage;
  /** Null where its server does not run, or does not answer. */
  readonly status: ServerStatus | null;
}

function statusOf({ place }: Stage): Promise<ServerStatus | null> {
  return askStatus(place.control).catch(() => null);
}

function describe({ stage, status }: Found): string {
  const { name, created, upstreams } = stage.record;
  const { hashserv, prserv } = upstreams;
  const clients = status && `${status.clients} ${status.clients === 1 ? 'client' : 'clients'}`;
  const of = hashserv === prserv ? hashserv : `${hashserv} (hashserv), ${prserv} (prserv)`;
  return `${name}: ${status ? `running, ${clients}` : 'does not run'}; of ${of}; made ${created}\n`;
}

function toJson({ stage, status }: Found) {
  const { record, place } = stage;
  return { ...record, folder: place.folder, running: status !== null, clients: status?.clients ?? 0 };
}
