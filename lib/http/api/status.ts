import type { Reply } from '../../asyncrpc/service.ts';
import { type Address, formatAddress } from '../../asyncrpc/transport/address.ts';
import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { JobsStatus } from '../../meter/job-figures.ts';
import type { MirrorStatus } from '../../meter/mirror-status.ts';
import { packageVersion } from '../../package-version.ts';
import type { Readiness, ReadyReport } from '../readiness.ts';
import { type Caller, USERS } from './call.ts';
import { createKept } from './kept.ts';

/** What a server reports; what only administrators are told is here too. */
export interface ServerFacts {
  readonly databases: Readonly<Record<string, string | null>>;
  readonly upstreams: Readonly<Record<string, string | null>>;
  /** Servers that this one keeps itself level with. */
  readonly mirrors: { list(): Promise<readonly MirrorStatus[]> };
  readonly jobs: { status(): Promise<JobsStatus> };
  readonly warnings: {
    list(doors: readonly Door[], report: ReadyReport): Promise<readonly ServerWarning[]>;
  };
  /** Those that are open now, and what their clients may do. */
  listeners(): readonly Door[];
}

interface Door {
  readonly address: Address;
  readonly report: object;
  readonly certificate?: { readonly expires: Date };
}

/** What wants somebody. */
interface ServerWarning {
  readonly code: string;
  readonly severity: string;
  readonly text: string;
  readonly subject: string | null;
  readonly since: string | null;
}

/** Answers how the server is. Whoever may read the statistics may ask; whoever may collect garbage is told where everything is. */
export function createStatus(facts: ServerFacts, readiness: Readiness, clients: () => Promise<number>) {
  const version = packageVersion();
  const started = new Date();
  const begun = performance.now();
  const keptGc = createKept<Reply>();
  return async (caller: Caller): Promise<Json> => {
    const report = await readiness.report();
    const { status, upstreams } = report;
    const statistics = caller.speaks(USERS) ? await caller.run(USERS, 'get-stats', {}, () => null) : null;
    const warnings = await facts.warnings.list(facts.listeners(), report);
    const general = {
      version,
      started: started.toISOString(),
      uptime_seconds: Math.floor((performance.now() - begun) / 1000),
      ready: status === 'ready',
      clients: await clients(),
      requests: (statistics as { readonly requests: Json } | null)?.requests ?? null,
      upstreams: { ...upstreams },
      // Where things are is for those who look after them.
      warnings: warnings.map(({ subject: _, ...warning }) => ({ ...warning })),
    };
    if (!(await caller.may(USERS, 'gc-status'))) return general;
    const listeners = facts.listeners().map(({ address, report }) => ({ address: formatAddress(address), ...report }));
    // It goes through all rows: ten people who look would have it counted all the time.
    const gc = await keptGc(async () => caller.run(USERS, 'gc-status', {}, () => null));
    return {
      ...general,
      warnings: warnings.map((warning) => ({ ...warning })),
      // Through JSON: what stands in a report is of no type that is known here.
      listeners: JSON.parse(JSON.stringify(listeners)),
      databases: { ...facts.databases },
      upstream_addresses: { ...facts.upstreams },
      mirrors: (await facts.mirrors.list()) as unknown as Json,
      // The process that runs them may be about to be replaced.
      jobs: (await facts.jobs.status().catch(() => null)) as unknown as Json,
      gc: gc as Json,
    };
  };
}
