import path from 'node:path';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import { InvokeError } from '../../errors.ts';
import { UsageError } from '../args/usage-error.ts';
import { canAsk, requireConsent } from '../client/consent.ts';
import { createOut, type Out } from '../client/out.ts';
import type { ServerCall } from '../commands/call.ts';
import { type Job, startJob } from './job.ts';
import { cutText, describePromotion, type PromoteResult } from './promote-text.ts';
import { findTarget, parametersOf, waitForPull } from './pull.ts';

type Parameters = { readonly [name: string]: Json };

/** `bakeserv promote SOURCE PACKAGE…`: a running server takes some packages of another, after a look at what that means. */
export async function run({ args }: ServerCall): Promise<number> {
  const parameters: Parameters = {
    ...parametersOf(args, ['pkgarch', 'on-conflict', 'user']),
    packages: [...new Set(args.list('PACKAGE'))],
  };
  const [isDryRun, mustAsk] = [args.has('dry-run'), !args.has('dry-run') && !args.has('yes')];
  if (mustAsk && !canAsk())
    throw new UsageError(
      'promote: nobody can be asked here: look at the list with --dry-run, and say --yes to have it done',
    );
  const list = args.text('list');
  if (list !== undefined && !isDryRun && !mustAsk)
    throw new UsageError('promote: --list is what is looked at before: give it with --dry-run, in place of --yes');
  const look = { dry_run: true, ...(list !== undefined && { list_file: path.resolve(list) }) };
  const { control } = await findTarget(args, 'promote');
  const out = createOut(args.has('json'));
  for (;;) {
    const confirmed = mustAsk ? await confirm(control, { ...parameters, ...look }, out) : undefined;
    if (confirmed === null) return 0;
    const more = isDryRun ? look : confirmed === undefined ? {} : { confirmed };
    const id = await startJob(control, 'promote', { ...parameters, ...more });
    if (args.has('background')) {
      await out.result({ id }, () => `job ${id}`);
      return 0;
    }
    const job = await waitForPull(control, id, out.json);
    const told = resultOf(job);
    if (mustAsk && told?.changed) {
      out.note(job.error ?? '');
      continue;
    }
    await out.result({ id, state: job.state, error: job.error, ...(job.result as Parameters | null) }, () =>
      told ? describePromotion(told) : [],
    );
    const cut = told?.list ? cutText(told.list) : null;
    if (out.json && cut !== null) out.note(`bakeserv: ${cut}`);
    if (job.state !== 'done') throw new InvokeError(job.error ?? `job ${id} was ${job.state}`);
    return isDryRun && told && isRefused(told) ? 1 : 0;
  }
}

/**
 * Shows what would be done, and asks.
 * @returns what stands for the list that was shown; null where there is nothing to do
 * @throws InvokeError where it cannot be done, or the answer is no
 */
async function confirm(control: string, look: Parameters, out: Out): Promise<string | null> {
  const job = await waitForPull(control, await startJob(control, 'promote', look), out.json);
  const told = resultOf(job);
  if (job.state !== 'done' || !told) throw new InvokeError(job.error ?? `job ${job.id} was ${job.state}`);
  for (const line of describePromotion(told)) {
    if (out.json) out.note(line);
    else await out.line(line);
  }
  if (isRefused(told))
    throw new InvokeError(
      `nothing was promoted, as PR values are in conflict (${told.prs!.conflicts}): --on-conflict keep or raise goes on`,
    );
  if (!isAnythingNew(told)) {
    if (out.json)
      await out.result({ id: job.id, state: job.state, error: null, ...(job.result as Parameters) }, () => '');
    out.note('nothing of it is new');
    return null;
  }
  await requireConsent('Promote these packages?', 'promote them');
  return told.confirm;
}

const resultOf = ({ result }: Job) => result as unknown as PromoteResult | null;

const isRefused = ({ on_conflict: how, prs }: PromoteResult) => how === 'fail' && (prs?.conflicts ?? 0) > 0;

function isAnythingNew({ prs, hashes }: PromoteResult): boolean {
  const values = prs ? prs.new + prs.raised + prs.lifted_rows.length : 0;
  return values > 0 || (hashes !== null && hashes.tasks.new + hashes.reports.new > 0);
}
