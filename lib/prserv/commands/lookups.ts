import type { Outcome } from '../../asyncrpc/service.ts';
import { InvokeError } from '../../errors.ts';
import type { PrContext } from '../context.ts';
import { largest, smallest } from '../revision.ts';
import type { Answers, ChecksumKey, PrRequest } from '../store.ts';
import { answerBelow } from '../upstream/chain.ts';

export type ChecksumArgs = ChecksumKey & { readonly history?: boolean };

/** Answers get-pr: the upstream is asked first, together for all; the store then decides inside its transaction. */
export async function getPr(context: PrContext, args: readonly ChecksumArgs[]): Promise<readonly Outcome[]> {
  const { store, readOnly } = context;
  const requests = await withUpstream(context, withHistory(context, args));
  const values = await (readOnly ? store.peekPr(requests) : store.getPr(requests));
  return values.map((value) => {
    if (typeof value === 'string') return { value };
    return (
      value ??
      new InvokeError(
        'get-pr: the upstream PR server does not answer and nothing is known of this package here; try again when it is back',
        undefined,
        'unavailable',
      )
    );
  });
}

async function withUpstream(
  { upstream, store }: PrContext,
  requests: readonly PrRequest[],
): Promise<readonly PrRequest[]> {
  if (!upstream) return requests;
  // With history a known checksum keeps its value whatever the upstream says: no need to wait for it.
  const settled = new Set<PrRequest>();
  const historic = requests.filter((request) => request.history);
  if (historic.length > 0) {
    const known = await store.values(historic);
    for (const [i, request] of historic.entries()) if (known[i]!.length > 0) settled.add(request);
  }
  const open = requests.filter((request) => !settled.has(request));
  const views = open.length > 0 ? await upstream.views(open) : [];
  const view = new Map(open.map((request, i) => [request, views[i]!]));
  return requests.map((request) => {
    const said = view.get(request);
    return said ? { ...request, upstream: said } : request;
  });
}

/** The value found for each checksum, here alone (docs/protocol.md). */
export function testPr(context: PrContext, args: readonly ChecksumArgs[]): Answers<string | null> {
  const requests = withHistory(context, args);
  return madeOf(context.store.values(requests), (found) =>
    found.map((values, i) => values.reduce<string | null>(requests[i]!.history ? smallest : largest, null)),
  );
}

/** What is made of answers: at once where they are there. */
export function madeOf<T, Made>(answers: Answers<T>, make: (answers: readonly T[]) => readonly Made[]): Answers<Made> {
  return answers instanceof Promise ? answers.then(make) : make(answers);
}

/** What is known about packages here and above, for the server below. */
export async function chainPr(context: PrContext, args: readonly ChecksumArgs[]): Promise<readonly Outcome[]> {
  const { store, upstream } = context;
  const requests = withHistory(context, args);
  const [maxima, values, above] = await Promise.all([
    store.maxima(requests),
    testPr(context, requests),
    upstream?.views(requests) ?? null,
  ]);
  return requests.map((_, i) => ({ ...answerBelow({ max: maxima[i]!, value: values[i]! }, above?.[i] ?? null) }));
}

function withHistory({ defaultHistory }: PrContext, args: readonly ChecksumArgs[]): readonly PrRequest[] {
  return args.map(({ version, pkgarch, checksum, history }) => ({
    version,
    pkgarch,
    checksum,
    history: history ?? defaultHistory,
  }));
}
