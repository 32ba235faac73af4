import type { JobKind } from '../jobs/kind.ts';
import type { Jobs } from '../jobs/late.ts';
import type { Logger } from '../log.ts';
import type { MirrorStatus } from '../meter/mirror-status.ts';
import type { Mirrors } from '../mirror/mirrors.ts';
import type { PullParts } from '../pull/parts.ts';
import type { Config } from '../settings/config.ts';
import type { Crew } from './crew.ts';
import type { Follower } from './followers.ts';

/** The mirrors of a server. */
export interface Mirroring {
  /** Those that this process runs. */
  readonly here: () => readonly MirrorStatus[];
  /** Those of the server. */
  list(): Promise<readonly MirrorStatus[]>;
  readonly follower: Follower;
  /** Goes on with the jobs of an earlier start, and then begins to mirror. Never rejects. */
  resume(): Promise<void>;
  /** Must be called before the jobs are closed. */
  close(): void;
}

export interface MirroringOptions {
  readonly config: Pick<Config, 'mirrors' | 'page'>;
  readonly jobs: Jobs;
  readonly parts: PullParts;
  /** Throws InvokeError for a file that a job must not touch. */
  readonly requireFile: (file: string) => void;
  readonly log: Logger;
  /** The other processes of the server; null where it is one. */
  readonly crew: Pick<Crew, 'mirrors'> | null;
}

/** Pulls, and the mirrors that are made of them. Nothing of either is loaded before the first is wanted. */
export function openMirrors({ config, crew, jobs, parts, requireFile, log }: MirroringOptions): Mirroring {
  const elsewhere = crew?.mirrors ?? null;
  let wanted = config.mirrors;
  let mirrors: Mirrors | null = null;
  let begun = false;
  let closed = false;
  const here = () => mirrors?.status ?? [];

  async function kinds(): Promise<readonly JobKind[]> {
    const [{ pullKind }, { promoteKind }, { mirrorKind }] = await Promise.all([
      import('../pull/kind.ts'),
      import('../promote/kind.ts'),
      import('../mirror/kind.ts'),
    ]);
    const open = config.page.pullFrom;
    return [
      pullKind(parts, open),
      promoteKind(parts, requireFile),
      mirrorKind(parts, (source) => mirrors?.find(source) ?? null),
    ];
  }

  async function use(): Promise<void> {
    if (elsewhere || (!mirrors && wanted.length === 0)) return;
    const { Mirrors } = await import('../mirror/mirrors.ts');
    mirrors ??= new Mirrors(jobs, log);
    mirrors.use(wanted);
  }

  jobs.register(kinds);
  return {
    here,
    list: elsewhere ?? (async () => here()),
    follower: {
      prepare({ mirrors: now }) {
        if (JSON.stringify(now) === JSON.stringify(wanted)) return null;
        return {
          what: 'mirrors',
          async apply() {
            wanted = now;
            await use();
            if (begun && !closed) mirrors?.begin();
          },
        };
      },
    },
    async resume() {
      try {
        // Jobs that an earlier start has left ask which mirror they are for.
        await use();
        await jobs.resume();
        begun = true;
        if (!closed) mirrors?.begin();
      } catch (error) {
        log.error('mirrors cannot be begun', { error });
      }
    },
    close() {
      closed = true;
      mirrors?.close();
    },
  };
}
