import type { UpstreamLink } from '../asyncrpc/upstream/link.ts';
import { errorText } from '../errors.ts';
import type { StoreProbe } from '../http/readiness.ts';

/** As people call the services. */
const NAMES = { hashserv: 'hash equivalence', prserv: 'PR values' } as const;

/** How to find out whether a service's store can be read and written. */
export function probeOf(
  service: keyof typeof NAMES,
  database: { readonly readOnly: boolean; tryWrite(): Promise<void> },
  link: UpstreamLink | null,
  read: () => Promise<unknown>,
): StoreProbe {
  return {
    service,
    name: NAMES[service],
    read,
    write: database.readOnly ? null : () => database.tryWrite(),
    upstream: () => link && (link.figures().breaker === 'open' ? 'unreachable' : 'reachable'),
  };
}

/** Reads from each store and writes to it. Resolves to what is wrong, a line each. */
export async function checkStores(stores: readonly StoreProbe[]): Promise<readonly string[]> {
  const faults: string[] = [];
  const tried = async (what: string, attempt: () => Promise<unknown>) => {
    await attempt().catch((error) => faults.push(`${what}: ${errorText(error)}`));
  };
  for (const { name, read, write } of stores) {
    await tried(`${name}: a look-up fails`, read);
    if (write) await tried(`${name}: writes are refused`, write);
  }
  return faults;
}
