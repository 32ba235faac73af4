import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import type { Args } from '../args/args.ts';
import { variables } from '../auto/place.ts';
import { requireConsent } from '../client/consent.ts';
import { createOut, type Out } from '../client/out.ts';
import type { ServerCall } from '../commands/call.ts';
import type { FoundServer } from '../process/control-folder.ts';
import { answersOn } from '../publish/own-server.ts';
import { ownServerAt, runPull } from '../publish/pull.ts';
import { describePull, describeUnpublished, type PullResult } from '../publish/text.ts';
import { requireStage, requireStill, type Stage, stageName, stagesFolder, type Upstreams } from './place.ts';
import { wholeAddress } from './shared.ts';
import { takeStage } from './stage.ts';

/** A stage that is started to be read from ends so long after it was. */
const IDLE_SECONDS = 600;

/** `bakeserv publish NAME`: the shared server pulls what is new in a stage. */
export async function run({ args }: ServerCall): Promise<number> {
  const name = stageName(args.need('NAME'));
  const folder = stagesFolder(args, process.env);
  const stage = requireStage(folder, name);
  const { address, control } = await targetOf(stage, args);
  const words = [name, '--stages-dir', folder, '--idle', String(IDLE_SECONDS)];
  const status = await takeStage(stage, words, { idleMs: IDLE_SECONDS * 1000, parent: null });
  // It is not noted how far a stage was read: it is gone soon, and small.
  const parameters = { source: variables(status).BB_HASHSERVE, since: '0', ...selectionOf(args) };
  const out = createOut(args.has('json'));
  if (args.has('dry-run') || !args.has('yes')) {
    const found = await pull(control, { ...parameters, dry_run: true }, out);
    const isNew = isAnythingNew(found.result);
    if (args.has('dry-run') || !out.json || !isNew) await out.result(found.json, () => describePull(found.result));
    const { conflicts = 0 } = found.result.prs ?? {};
    const isRefused = conflicts > 0 && found.result.on_conflict === 'fail';
    if (args.has('dry-run')) return isRefused ? 1 : 0;
    if (isRefused)
      throw new InvokeError(
        `nothing was published, as PR values of ${name} are in conflict (${conflicts}): --on-conflict keep or raise goes on, and discarding the stage lets the mainline build them`,
      );
    if (!isNew) {
      out.note(`nothing is new in the stage ${name}`);
      return 0;
    }
    await requireConsent(`Publish the stage ${name} into ${address}?`, `publish ${name} into ${address}`);
    requireStill(folder, stage);
  }
  const done = await pull(control, parameters, out);
  await out.result(done.json, () => [...describePull(done.result), `published ${name}`]);
  return 0;
}

function isAnythingNew({ prs, hashes }: PullResult): boolean {
  const rows = prs ? prs.new + prs.raised + prs.lifted_rows.length : 0;
  return rows > 0 || (hashes !== null && hashes.unihashes.new + hashes.outhashes.new > 0);
}

/** @throws InvokeError where it failed, once what it found was told */
async function pull(
  control: string,
  parameters: Json,
  out: Out,
): Promise<{ readonly json: Json; readonly result: PullResult }> {
  const { id, state, error, result: json } = await runPull(control, parameters, out.json);
  const result = json as unknown as PullResult | null;
  const told = { id, state, ...(json as { [key: string]: Json } | null) };
  if (state === 'done') return { json: told, result: result! };
  if (out.json) await out.result({ ...told, error }, () => '');
  else for (const line of result ? describePull(result) : []) out.note(line);
  const why = error ?? `job ${id} was ${state}`;
  throw new InvokeError(result ? describeUnpublished(result, why) : `nothing was published: ${why}`);
}

/**
 * The server that the stage is of, as what is new must go where it was counted on from.
 * @throws InvokeError where the stage asks two servers; AddressError when it is not this user's, or not on this machine
 */
async function targetOf(
  { record }: Stage,
  args: Args,
): Promise<Pick<FoundServer, 'control'> & { readonly address: string }> {
  const { hashserv, prserv }: Upstreams = record.upstreams;
  const named = args.text('address');
  const address = named ? wholeAddress(named) : args.has('hashes') && !args.has('prs') ? hashserv : prserv;
  const server = await ownServerAt(address);
  const both = args.has('hashes') === args.has('prs');
  if (both && named === undefined && !(await answersOn(server, hashserv)))
    throw new InvokeError(
      `the stage ${record.name} asks ${hashserv} for hashes and ${prserv} for PR values: where that is one server, name it with --address, otherwise publish to one after the other, with --hashes and --prs`,
    );
  return { control: server.control, address };
}

function selectionOf(args: Args): { [name: string]: Json } {
  const selection: { [name: string]: Json } = {};
  for (const name of ['hashes', 'prs']) if (args.has(name)) selection[name] = true;
  for (const name of ['packages', 'on-conflict']) {
    const value = args.text(name);
    if (value !== undefined) selection[name.replace('-', '_')] = value;
  }
  return selection;
}
