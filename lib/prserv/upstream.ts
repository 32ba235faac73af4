import { isPrValue } from '../asyncrpc/schema.ts';
import type { Reply, UpstreamLink } from '../asyncrpc/upstream-link.ts';
import type { ChecksumKey, PackageKey, UpstreamView } from './store.ts';

/** What another PR server knows. Answers are checked; one that is wrong, late or absent is none. */
export interface PrUpstream {
  /** What get-pr needs to know for each request, fetched together. */
  views(requests: readonly (ChecksumKey & { readonly history: boolean })[]): Promise<readonly UpstreamView[]>;
  close(): void;
}

/** Packages whose upstream maximum is remembered for when the upstream is away. */
const MAX_REMEMBERED = 100_000;

export function createPrUpstream(link: UpstreamLink): PrUpstream {
  const lastMaxima = new Map<string, string | null>();

  function remember({ version, pkgarch }: PackageKey, max: string | null): void {
    const key = `${version}\0${pkgarch}`;
    lastMaxima.delete(key);
    lastMaxima.set(key, max);
    if (lastMaxima.size > MAX_REMEMBERED) lastMaxima.delete(lastMaxima.keys().next().value!);
  }

  /** A believable `{"value": …}`: the value or null; undefined when there is none to believe. */
  function believable(reply: Reply | null, command: string): string | null | undefined {
    if (!reply) return undefined;
    const { value } = (reply.value ?? {}) as { value?: unknown };
    if (value === null || (typeof value === 'string' && isPrValue(value))) return value;
    link.distrust(`${command}: ${JSON.stringify(reply.value).slice(0, 80)}`);
    return undefined;
  }

  const maxRequest = ({ version, pkgarch }: PackageKey) => ({ command: 'max-package-pr', args: { version, pkgarch } });
  const testRequest = ({ version, pkgarch, checksum, history }: ChecksumKey & { history: boolean }) => ({
    command: 'test-pr',
    args: { version, pkgarch, checksum, history },
  });

  return {
    async views(requests) {
      const asked = requests.flatMap((request) => [maxRequest(request), testRequest(request)]);
      const replies = await link.messages(asked);
      return requests.map((request, i): UpstreamView => {
        const max = believable(replies[2 * i]!, 'max-package-pr');
        const value = believable(replies[2 * i + 1]!, 'test-pr');
        if (max === undefined || value === undefined) {
          return { kind: 'away', lastMax: lastMaxima.get(`${request.version}\0${request.pkgarch}`) };
        }
        remember(request, max);
        return { kind: 'answered', max, value };
      });
    },
    close: () => link.close(),
  };
}
