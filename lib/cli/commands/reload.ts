import { BakeservError } from '../../errors.ts';
import type { TakenOver } from '../../server.ts';
import { askReload } from '../process/control-client.ts';
import type { ServerCall } from './call.ts';
import { findServer } from './find-server.ts';

/** `bakeserv reload`: a running server reads its settings again, and reports what came of it. */
export async function run(call: ServerCall): Promise<number> {
  const { status, control } = await findServer(call.args, {
    command: 'reload',
    isPidArgument: true,
    otherwise: 'who alone can have it read its settings: for a service, use systemctl reload',
  });
  const result = await askReload(control);
  if (!result)
    throw new BakeservError('address-error', `server ${status.pid} did not answer: it is stopping, or older than this`);
  const { taken, later, faults } = result;
  for (const fault of faults) process.stderr.write(`bakeserv: server ${status.pid}: ${fault}\n`);
  if (call.args.has('json')) process.stdout.write(`${JSON.stringify({ pid: status.pid, taken, later, faults })}\n`);
  else process.stdout.write(describe(result));
  return faults.length > 0 ? 1 : 0;
}

function describe({ taken, later, faults }: TakenOver): string {
  const lines = [
    ...taken.map((each) => `taken over: ${each}\n`),
    ...later.map((each) => `waits for a restart: ${each}\n`),
  ];
  return lines.length === 0 && faults.length === 0 ? 'nothing has changed\n' : lines.join('');
}
