import { EncodedReply, type Outcome } from '../../asyncrpc/service.ts';
import { weightOf } from '../../asyncrpc/weight.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';
import { REPORT } from '../access/permissions.ts';
import type { HashContext } from '../context.ts';
import type { Equivalence, Report } from '../store.ts';
import type { HashUpstream } from '../upstream/upstream.ts';
import { upstreamUnihashes } from './read-through.ts';

/** A report as it arrives: the optional fields may be absent. */
type ReportArgs = Equivalence & { readonly outhash: string } & Partial<
    Omit<Report, keyof Equivalence | 'outhash' | 'created'>
  >;

/** Stores reports and answers the unihash then stored; if storing is not allowed, answers from what is known. */
export async function report(context: HashContext, args: readonly ReportArgs[]): Promise<readonly Outcome[]> {
  const { store, session, clock, upstream, gate, readOnly } = context;
  if (readOnly || !session.can(REPORT)) return answerOnly(context, args);
  // Asked before the transaction, but decided inside it: two reports of one output get one unihash whatever the upstream says.
  const fromUpstream = await upstreamUnihashes(context, args);
  const reports = args.map(
    (each, i): Report => ({
      method: each.method,
      taskhash: each.taskhash,
      outhash: each.outhash,
      unihash: each.unihash,
      created: clock(),
      // An authenticated user's name overrides what the client says.
      owner: session.username ?? each.owner ?? null,
      PN: each.PN ?? null,
      PV: each.PV ?? null,
      PR: each.PR ?? null,
      task: each.task ?? null,
      outhash_siginfo: each.outhash_siginfo ?? null,
      upstreamUnihash: fromUpstream?.[i] ?? null,
    }),
  );
  if (upstream) await settleTasks(context, upstream, args);
  const write = () => store.report(reports);
  return replies(args, await (upstream ? gate.pass(weightOf(args), write) : write()));
}

/** The oldest unihash known for the output, otherwise the client's own; nothing is stored. */
async function answerOnly(context: HashContext, args: readonly ReportArgs[]): Promise<readonly Outcome[]> {
  const known = await context.store.outhashes(
    args.map(({ method, outhash }) => ({ method, outhash, withUnihash: true })),
  );
  const fromUpstream = await upstreamUnihashes(context, args, known);
  return replies(
    args,
    args.map(({ unihash }, i) => (known[i]?.unihash as string | undefined) ?? fromUpstream?.[i] ?? unihash),
  );
}

/** Stores equivalences without an output; the first unihash of a taskhash stays. */
export async function reportEquivalent(
  context: HashContext,
  args: readonly Equivalence[],
): Promise<readonly Outcome[]> {
  const asked = args.map(({ method, taskhash, unihash }) => ({ method, taskhash, unihash }));
  if (context.upstream) await settleTasks(context, context.upstream, args);
  return replies(asked, await context.store.reportEquivalent(asked));
}

/** Before tasks are reported: what get-stream has answered from the upstream is their first unihash, and stays; misses are over. */
async function settleTasks(
  { store, backfill }: HashContext,
  upstream: HashUpstream,
  args: readonly Equivalence[],
): Promise<void> {
  for (const { method, taskhash } of args) upstream.forget(`${method} ${taskhash}`);
  const answered = backfill.waitingFor(args);
  if (answered.length > 0) await store.reportEquivalent(answered);
}

function replies(args: readonly Equivalence[], unihashes: readonly string[]): readonly Outcome[] {
  return args.map(
    ({ taskhash, method }, i) => new EncodedReply(encodeJson({ taskhash, method, unihash: unihashes[i]! })),
  );
}
