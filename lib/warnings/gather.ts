import fs from 'node:fs';
import { type Address, formatAddress } from '../asyncrpc/transport/address.ts';
import type { Readiness, ReadyReport, StoreProbe } from '../http/readiness.ts';
import { backupStampOf } from '../meter/backup-stamp.ts';
import type { JobsStatus } from '../meter/job-figures.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { Metrics } from '../metrics/source.ts';
import { SERVICES, type ServiceName } from '../metrics/sources.ts';
import type { Config } from '../settings/config.ts';
import { type Warning, type WarningFacts, warningsOf } from './rules.ts';
import { WarningWatch } from './watch.ts';

/** A listener of the server. */
export interface WarnedDoor {
  readonly address: Address;
  readonly certificate?: { readonly expires: Date };
}

/** Gathers what wants somebody, when it is asked for. */
export interface Warnings {
  /**
   * @param doors the listeners of the server
   * @param report how the stores are, where somebody has just looked
   */
  list(doors: readonly WarnedDoor[], report?: ReadyReport): Promise<readonly Warning[]>;
}

export interface WarningsOptions {
  readonly config: Pick<Config, 'hashserv' | 'prserv' | 'figuresFile'>;
  readonly stores: readonly StoreProbe[];
  readonly metrics: Pick<Metrics, 'quietSnapshot'>;
  readonly mirrors: { list(): Promise<readonly MirrorStatus[]> };
  readonly jobs: { status(): Promise<JobsStatus> };
  /** The current gc mark; null without hash equivalence. */
  readonly mark: () => Promise<string | null>;
}

type Looked = Pick<ReadyReport, 'stores' | 'upstreams'>;

/** Whoever asks waits no longer for a database. */
const PATIENCE_MS = 250;

export function openWarnings({ config, stores, metrics, mirrors, jobs, mark }: WarningsOptions): Warnings {
  const watch = new WarningWatch();
  let readiness: Readiness | null = null;
  let reading: Promise<void> | null = null;
  let marked: { readonly text: string; readonly since: number } | null = null;

  /** What is known without a look at a database. */
  function unlooked(): Looked {
    const upstreams: Record<string, 'reachable' | 'unreachable'> = {};
    for (const { service, upstream } of stores) {
      const state = upstream();
      if (state !== null) upstreams[service] = state;
    }
    return { stores: {}, upstreams };
  }

  /** A look at the databases writes to them: a private server, whose builds ask how it is when they begin, is spared that. */
  async function look(): Promise<Looked> {
    if (config.figuresFile === null) return unlooked();
    readiness ??= new (await import('../http/readiness.ts')).Readiness(stores);
    return soon(readiness.report(), unlooked);
  }

  /** As it was read last where the database does not answer: how a server is must be told at once. */
  async function currentMark(now: number): Promise<WarningFacts['mark']> {
    reading ??= mark()
      .then((text) => {
        if (text === null) marked = null;
        else if (marked?.text !== text) marked = { text, since: now };
      })
      .catch(() => {})
      .finally(() => {
        reading = null;
      });
    await soon(reading, () => {});
    return marked;
  }

  /** A figure of a service's database. */
  const figure = (snapshot: Snapshot, metric: string, service: ServiceName) => {
    const value = snapshot[metric]?.find(({ labels }) => labels[0] === service)?.value;
    return typeof value === 'number' ? value : null;
  };

  function databases({ stores: looked }: Looked, snapshot: Snapshot): WarningFacts['databases'] {
    const known = new Set<string>();
    return SERVICES.flatMap((service) => {
      const database = config[service];
      if (!database) return [];
      // One file for both services is told of once, but for what is wrong with either.
      const isFirst = !known.has(database.file);
      known.add(database.file);
      const { read = null, write = null } = looked[service] ?? {};
      const isFile = isFirst && database.postgres === null;
      return [
        {
          ...{ name: NAMES[service], file: database.file, read, write },
          freeBytes: isFile ? figure(snapshot, 'bakeserv_disk_free_bytes', service) : null,
          // Private servers, and those that write nothing, are backed up by nobody.
          backedUp: isFile && config.figuresFile !== null ? backedUp(database.file) : null,
        },
      ];
    });
  }

  return {
    async list(doors, report) {
      const now = Date.now();
      const [looked, snapshot, mirrored, jobsStatus, current] = await Promise.all([
        report ?? look(),
        metrics.quietSnapshot(false),
        mirrors.list(),
        jobs.status().catch(() => null),
        currentMark(now),
      ]);
      const warnings = warningsOf({
        now,
        certificates: doors.flatMap(({ address, certificate }) =>
          certificate ? [{ address: formatAddress(address), expires: certificate.expires.getTime() }] : [],
        ),
        databases: databases(looked, snapshot),
        away: SERVICES.filter((service) => looked.upstreams[service] === 'unreachable').map((service) => ({
          name: NAMES[service],
          address: config[service]?.upstream ? formatAddress(config[service].upstream) : null,
        })),
        mirrors: mirrored,
        lastFailedJob: jobsStatus?.last_failed ?? null,
        mark: current,
      });
      return watch.dated(warnings, now);
    },
  };
}

/** What comes in time, otherwise something else. */
async function soon<T>(coming: Promise<T>, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise()), PATIENCE_MS);
  });
  try {
    return await Promise.race([coming, enough]);
  } finally {
    clearTimeout(timer);
  }
}

const NAMES = { hashserv: 'hash equivalence', prserv: 'PR values' } as const;

/** The newest backup, otherwise when the file was made; null where the file system does not tell. */
function backedUp(file: string): number | null {
  const stamp = fs.statSync(backupStampOf(file), { throwIfNoEntry: false })?.mtimeMs ?? null;
  const made = fs.statSync(file, { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  if (stamp !== null) return Math.max(stamp, made);
  return made > 0 ? made : null;
}
