import type { Reply, UpstreamLink } from '../../asyncrpc/upstream/link.ts';
import { isPrValue } from '../../asyncrpc/wire/formats.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { ChecksumKey, UpstreamView } from '../store.ts';
import { type ChainAnswer, viewOf } from './chain.ts';
import { createHeardPackages } from './heard.ts';

/** What another PR server knows. Answers are checked; a wrong or late one counts as none. */
export interface PrUpstream {
  /** What get-pr needs to know for each request, fetched together. */
  views(requests: readonly UpstreamRequest[]): Promise<readonly UpstreamView[]>;
  close(): void;
}

export type UpstreamRequest = ChecksumKey & { readonly history: boolean };

/** A command that only bakeserv has: what a server and all above it know about a package. */
export const CHAIN_COMMAND = 'chain-pr';

/** Whether a reply of a PR server says that it knows nothing of what it was asked. */
export function saysNothing(reply: Json): boolean {
  if (reply === null || typeof reply !== 'object' || Array.isArray(reply)) return reply === null;
  return (reply.value ?? null) === null && (reply.max ?? null) === null;
}

export function createPrUpstream(link: UpstreamLink): PrUpstream {
  const heardPackages = createHeardPackages();

  function distrust(command: string, reply: Reply): undefined {
    link.distrust(`${command}: ${JSON.stringify(reply.value).slice(0, 80)}`);
    return undefined;
  }

  async function askChain(requests: readonly UpstreamRequest[]): Promise<readonly (ChainAnswer | null)[]> {
    const replies = await link.messages(requests.map((request) => ({ command: CHAIN_COMMAND, args: argsOf(request) })));
    return replies.map((reply) => reply && (chainAnswer(reply.value) ?? distrust(CHAIN_COMMAND, reply) ?? null));
  }

  /** With the commands of BitBake's servers, which say nothing about servers further up. */
  async function askPlainly(requests: readonly UpstreamRequest[]): Promise<readonly (ChainAnswer | null)[]> {
    const replies = await link.messages(
      requests.flatMap((request) => [
        { command: 'max-package-pr', args: { version: request.version, pkgarch: request.pkgarch } },
        { command: 'test-pr', args: argsOf(request) },
      ]),
    );
    const believable = (reply: Reply | null, command: string): string | null | undefined => {
      if (!reply) return undefined;
      const { value } = (reply.value ?? {}) as { value?: unknown };
      return isValue(value) ? value : distrust(command, reply);
    };
    return requests.map((_, i) => {
      const max = believable(replies[2 * i]!, 'max-package-pr');
      const value = believable(replies[2 * i + 1]!, 'test-pr');
      return max === undefined || value === undefined ? null : { max, under: max, value, away: false };
    });
  }

  async function ask(requests: readonly UpstreamRequest[]): Promise<readonly (ChainAnswer | null)[]> {
    const knowsChain = await link.knows(CHAIN_COMMAND, argsOf(requests[0]!), (reply) => chainAnswer(reply) !== null);
    if (knowsChain === null) return requests.map(() => null);
    return knowsChain ? askChain(requests) : askPlainly(requests);
  }

  return {
    async views(requests) {
      if (requests.length === 0) return [];
      const said = await ask(requests);
      return requests.map((request, i) => {
        const view = viewOf(said[i]!, heardPackages.get(request));
        if (view.kind === 'answered') {
          heardPackages.set(request, view.max === null ? null : { max: view.max, under: view.under! });
        }
        return view;
      });
    },
    close: () => link.close(),
  };
}

const argsOf = ({ version, pkgarch, checksum, history }: UpstreamRequest): Json => ({
  version,
  pkgarch,
  checksum,
  history,
});

const isValue = (value: unknown): value is string | null =>
  value === null || (typeof value === 'string' && isPrValue(value));

/** A credible reply, or null. */
function chainAnswer(reply: Json): ChainAnswer | null {
  if (reply === null || typeof reply !== 'object' || Array.isArray(reply)) return null;
  const { max, under, value, away } = reply;
  if (!isValue(max) || !isValue(under) || !isValue(value) || typeof away !== 'boolean') return null;
  if (max === null) return under === null && value === null ? { max, under, value, away } : null;
  return under === max || under?.startsWith(`${max}.`) ? { max, under, value, away } : null;
}
