import type { ClientOptions, Login } from '../asyncrpc/client/options.ts';
import { InvokeError } from '../errors.ts';
import { connectHashClient, HASH_PROTOCOL } from '../hashserv/client.ts';
import { connectPrWhereAsked, PR_PROTOCOL } from '../prserv/client.ts';
import type { Source, Target } from './ends.ts';
import { createHashServerEnd } from './hash-server.ts';
import type { Part, ServiceName } from './parts.ts';
import { createPrServerEnd } from './pr-server.ts';
import { asked, serves } from './server-calls.ts';

export interface ServerEndOptions extends Pick<ClientOptions, 'caFile' | 'certFile' | 'keyFile' | 'answerTimeoutMs'> {
  readonly login?: Login | undefined;
  /** Those that are asked for; others are left alone. */
  readonly services: ReadonlySet<ServiceName>;
  /** What to do about a right that is lacking. */
  readonly advice: string;
}

/** An end of one service. */
type End = Omit<Target, 'rivals'> & Partial<Pick<Target, 'rivals'>>;

/**
 * Connects to a running server, to copy from it: the services that it has at that address.
 * @throws AddressError when nobody answers there; InvokeError when it has none of the services, or refuses to let them be read
 */
export async function openServerSource(address: string, options: ServerEndOptions): Promise<Source> {
  const ends = await openEnds(address, options, false);
  if (ends.length === 0) throw new InvokeError(`${address} serves nothing of what was asked for`);
  return joined(address, ends);
}

/**
 * Connects to a running server, to copy into it. It is in use, so that one that is not empty is refused.
 * @throws AddressError, InvokeError
 */
export async function openServerTarget(
  address: string,
  options: ServerEndOptions & { readonly inUse: boolean; readonly dryRun: boolean },
): Promise<Target> {
  const { services, inUse, dryRun } = options;
  const ends = await openEnds(address, options, !dryRun);
  try {
    if (services.has('hashserv') && !ends.some(({ parts }) => parts.has('unihashes')))
      throw new InvokeError(`${address} serves no hash equivalence: --prs copies PR values alone`);
    if (services.has('prserv') && !ends.some(({ parts }) => parts.has('values')))
      throw new InvokeError(`${address} serves no PR values: --hashes copies hash equivalence alone`);
    if (!inUse && !dryRun) await refuseNotEmpty(address, ends);
    return joined(address, ends);
  } catch (error) {
    for (const end of ends) await end.close();
    throw error;
  }
}

async function openEnds(address: string, options: ServerEndOptions, writes: boolean): Promise<End[]> {
  const ends: End[] = [];
  try {
    if (options.services.has('hashserv')) await openHash(address, options, ends);
    if (options.services.has('prserv')) await openPr(address, options, ends, writes);
    return ends;
  } catch (error) {
    for (const end of ends) await end.close();
    throw error;
  }
}

async function openHash(address: string, { advice, services: _, ...rest }: ServerEndOptions, ends: End[]) {
  const { login: __, ...trust } = rest;
  if (!(await serves(address, HASH_PROTOCOL, trust))) return;
  const client = await asked(address, advice, () => connectHashClient(address, rest));
  const end = createHashServerEnd(client, address, advice);
  ends.push(end);
  // So that a right that is lacking is told before anything is copied.
  await end.slice('unihashes', null, { rows: 1, bytes: 1 });
}

async function openPr(address: string, options: ServerEndOptions, ends: End[], writes: boolean) {
  const { advice, services: _, login, ...trust } = options;
  if (!(await serves(address, PR_PROTOCOL, trust))) return;
  const client = await asked(address, advice, () => connectPrWhereAsked(address, { ...trust, login }));
  ends.push(createPrServerEnd(client, address, advice));
  const known = writes ? await asked(address, advice, () => client.importRows([], true)) : undefined;
  if (known === null)
    throw new InvokeError(`${address}: the server does not know import-rows: it is not bakeserv, or an older one`);
}

async function refuseNotEmpty(address: string, ends: readonly End[]): Promise<void> {
  for (const end of ends)
    for (const part of end.parts) {
      const rows = await end.count(part);
      if (rows > 0)
        throw new InvokeError(
          `${address} has ${rows} ${part === 'values' ? 'PR values' : part} already; with --in-use it is copied into all the same, also to go on with a copy that ended early`,
        );
    }
}

/** One end of what the services have. */
function joined(name: string, ends: readonly End[]): Target {
  const of = (part: Part) => {
    const end = ends.find(({ parts }) => parts.has(part));
    if (!end) throw new InvokeError(`${name} has no ${part}`);
    return end;
  };
  return {
    name,
    parts: new Set(ends.flatMap(({ parts }) => [...parts])),
    count: (part) => of(part).count(part),
    slice: (part, after, limits) => of(part).slice(part, after, limits),
    compare: (part, rows) => of(part).compare(part, rows),
    faultOf: (part, row) => of(part).faultOf(part, row),
    add: (part, rows) => of(part).add(part, rows),
    rivals: async (rows) => (await of('values').rivals?.(rows)) ?? [],
    async close() {
      for (const end of ends) await end.close();
    },
  };
}
