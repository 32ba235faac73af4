import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import type { HashClient } from '../../hashserv/client-types.ts';
import { atOnce } from '../../insights/in-turns.ts';
import { proposalsFor } from '../../insights/shared-state/fix.ts';
import { readMirrorAddress } from '../../insights/shared-state/mirror.ts';
import { MAX_PAUSES_MS } from '../../insights/shared-state/mirror-rules.ts';
import { templateFault } from '../../insights/shared-state/object-name.ts';
import { type Report, reportOf } from '../../insights/shared-state/report.ts';
import { compareSharedState, type Place } from '../../insights/shared-state/run.ts';
import type { TaskReader } from '../../insights/shared-state/source.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { createProgress, type Progress } from '../client/progress.ts';
import { ask, type InsightCall, requireOwn } from './run.ts';
import { openDetails } from './shared-state-details.ts';
import { memoryOf } from './shared-state-memory.ts';
import { SHARED_STATE_OPTIONS } from './shared-state-options.ts';
import { textOf, warningsOf } from './shared-state-text.ts';

/** What it works with. */
export interface SharedStateCall extends InsightCall {
  /** The address of the hash server. */
  readonly address: string;
  client(): Promise<HashClient>;
}

/** `insights shared-state`: what the hash server names and the shared state has not, and the other way round. */
export async function sharedState({ args, out, address, client }: SharedStateCall): Promise<undefined> {
  requireOwn(
    args,
    'shared-state',
    SHARED_STATE_OPTIONS.map(({ name }) => name),
  );
  if (args.has('list')) throw new UsageError('insights shared-state: --list is of no use here');
  const place = placeOf(args);
  const limit = args.number('limit', 100);
  const server = await client();
  if (place === null) return showLast(server, args, out, limit);
  const details = await openDetails(args, place);
  let progress: Progress | null = null;
  try {
    const found = await compareSharedState({
      reader: readerOf(server),
      place,
      minAge: args.number('min-age', 86_400),
      maxAge: args.number('cache-age', 604_800),
      memory: memoryOf(args.text('cache'), address, place),
      onOrphan: details.orphan,
      onDone: (count) => progress?.add(count),
      async onPart(what, total) {
        progress?.stop();
        progress = await createProgress(what, total);
      },
    });
    (progress as Progress | null)?.stop();
    await details.end(found.survey);
    const report = atOnce(reportOf(found, limit));
    if (!out.json) for (const warning of warningsOf(report)) out.note(warning);
    if (found.notRemembered !== null)
      out.note(`what was found is not remembered for the next time: ${found.notRemembered}`);
    const { shown, folder, survey, mirror } = found;
    if (!args.has('csv')) {
      const proposals = args.has('fix')
        ? proposalsFor({ totals: atOnce(survey.totals()), folder, shown, address })
        : null;
      const fix = proposals?.map(({ why, commands }) => ({ why, commands: [...commands] }));
      const told = { ...report, ...(fix && { fix }) } as unknown as Json;
      await out.result(told, () => textOf(report, proposals, out.bold));
    }
    // What was found until then is told; a script must not take it for the whole.
    if (mirror?.stopped) throw new InvokeError(`the mirror ${shown} ${mirror.stopped}`);
  } finally {
    (progress as Progress | null)?.stop();
    await details.abandon();
  }
}

/** What the server found by itself, in its last job. */
async function showLast(
  server: HashClient,
  args: Args,
  out: SharedStateCall['out'],
  limit: number,
): Promise<undefined> {
  const useless = SHARED_STATE_OPTIONS.find(({ name }) => args.has(name))?.name ?? (args.has('csv') ? 'csv' : null);
  if (useless !== null)
    throw new UsageError(`insights shared-state: --${useless} needs --sstate-dir DIR or --sstate-mirror URL`);
  const found = await server.invoke('insight-shared-state', { limit });
  if (found === null)
    throw new InvokeError(
      'the server has not compared yet: name --sstate-dir DIR or --sstate-mirror URL to do it here, or start its job shared-state',
    );
  const report = found as unknown as Report;
  if (!out.json) for (const warning of warningsOf(report)) out.note(warning);
  await out.result(found, () => [`As the server found it at ${report.made}`, ...textOf(report, null, out.bold)]);
}

/**
 * Null where none is named.
 * @throws UsageError
 */
function placeOf(args: Args): Place | null {
  const [folder, address] = [args.text('sstate-dir'), args.text('sstate-mirror')];
  if (folder === undefined && address === undefined) return null;
  if (folder !== undefined && address !== undefined)
    throw new UsageError('insights shared-state: --sstate-dir DIR or --sstate-mirror URL, not both');
  if (folder !== undefined) return { kind: 'folder', folder };
  readMirrorAddress(address!);
  const templates = args.list('sstate-name');
  for (const template of templates) {
    const fault = templateFault(template);
    if (fault !== null) throw new UsageError(`--sstate-name ${template}: ${fault}`);
  }
  const pkgarchs = args.list('pkgarch').flatMap((list) => list.split(',').filter(Boolean));
  const limits = {
    atOnce: Math.max(1, args.number('at-once', 8)),
    timeoutMs: args.number('mirror-timeout', 10) * 1000,
    maxRequests: args.number('max-requests', 20_000),
    maxPausesMs: MAX_PAUSES_MS,
  };
  return { kind: 'mirror', address: address!, limits, rule: { templates, pkgarchs } };
}

function readerOf(server: HashClient): TaskReader {
  return async (after) => (await ask(server, 'export-tasks', { after })) as unknown as Awaited<ReturnType<TaskReader>>;
}
