import { clientMessage } from '../asyncrpc/faults.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import { AddressError, BakeservError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { MirrorEnd, MirrorState, MirrorStatus } from '../meter/mirror-status.ts';
import type { PullParameters } from '../pull/parameters.ts';
import type { MirrorConfig } from '../settings/publishing/mirror-settings.ts';

/** What a pull tells of itself, as far as a mirror wants to know. */
interface PullResult {
  readonly prs: { readonly stored: number; readonly conflicts: number } | null;
  readonly hashes: {
    readonly unihashes: { readonly new: number };
    readonly outhashes: { readonly new: number };
  } | null;
}

/** A run that is under way. One of these is called, or none where the run was stopped; and then `over`. */
export interface MirrorRun {
  level(result: Json): void;
  failed(error: unknown): void;
  over(): void;
}

/** A moment, for people and for measuring. */
interface Moment {
  readonly iso: string;
  readonly ms: number;
}

const moment = (): Moment => ({ iso: new Date().toISOString(), ms: performance.now() });

/** Another server that this one keeps itself level with: how that goes, and what is logged about it. */
export class Mirror {
  readonly config: MirrorConfig;
  private readonly log: Logger;
  private readonly started = moment();
  private state: MirrorState = 'waiting';
  private running = 0;
  private levelAt: Moment | null = null;
  private failingSince: Moment | null = null;
  private error: string | null = null;
  private conflicts = 0;
  private readonly rows = { unihashes: 0, outhashes: 0, values: 0 };
  private readonly runs: Record<MirrorEnd, number> = { level: 0, away: 0, refused: 0 };

  constructor(config: MirrorConfig, log: Logger) {
    this.config = config;
    this.log = log;
  }

  /** What a run asks for. */
  get parameters(): PullParameters {
    const { source, hashes, prs, onConflict, user, tokenFile } = this.config;
    return {
      source,
      ...(hashes && { hashes }),
      ...(prs && { prs }),
      on_conflict: onConflict,
      ...(user !== null && { user }),
      ...(tokenFile !== null && { token_file: tokenFile }),
    };
  }

  get status(): MirrorStatus {
    const { config, levelAt, failingSince, started } = this;
    return {
      source: config.source,
      every_seconds: config.everyMs / 1000,
      state: this.state,
      running: this.running > 0,
      level_at: levelAt?.iso ?? null,
      lag_seconds: Math.max(0, performance.now() - (levelAt ?? started).ms) / 1000,
      failing_since: failingSince?.iso ?? null,
      error: this.error,
      conflicts: this.conflicts,
      rows: { ...this.rows },
      runs: { ...this.runs },
    };
  }

  /** @param isWhole it reads all that is new, rather than going on with what an earlier start has begun */
  begin(isWhole: boolean): MirrorRun {
    const begun = moment();
    this.running++;
    return {
      level: (result) => this.setLevel(begun, isWhole, result as unknown as PullResult),
      failed: (error) => this.setFailed(begun, error),
      over: () => {
        this.running--;
      },
    };
  }

  private setLevel(begun: Moment, isWhole: boolean, { prs, hashes }: PullResult): void {
    this.rows.unihashes += hashes?.unihashes.new ?? 0;
    this.rows.outhashes += hashes?.outhashes.new ?? 0;
    this.rows.values += prs?.stored ?? 0;
    // What came to the source between the two starts was not looked for.
    if (!isWhole) return;
    const { source } = this.config;
    const { state, failingSince } = this;
    this.state = 'level';
    this.runs.level++;
    this.levelAt = begun;
    this.failingSince = null;
    this.error = null;
    const rows = { ...this.rows };
    if (failingSince)
      this.log.info(state === 'away' ? 'a mirror is level again: its source is back' : 'a mirror is level again', {
        source,
        since: failingSince.iso,
        ...rows,
      });
    else if (state === 'waiting') this.log.info('a mirror is level', { source, ...rows });
    else this.log.debug('a mirror is level', { source, ...rows });
    const conflicts = prs?.conflicts ?? 0;
    if (conflicts > 0 && this.conflicts === 0 && this.config.onConflict === 'keep')
      this.log.warn(
        'a mirror leaves PR values out that are in conflict with ours: bakeserv pull --dry-run shows them',
        {
          source,
          conflicts,
        },
      );
    this.conflicts = conflicts;
  }

  /** Said once, until it is another kind of failure, however often it happens. */
  private setFailed(begun: Moment, error: unknown): void {
    const { source } = this.config;
    const end: MirrorEnd = error instanceof AddressError ? 'away' : 'refused';
    const isNews = this.state !== end;
    this.state = end;
    this.runs[end]++;
    this.failingSince ??= begun;
    this.error = clientMessage(error);
    // Nobody has foreseen it: then where it comes from is of interest each time.
    if (!(error instanceof BakeservError)) return this.log.error('a mirror failed', { source, error });
    const text =
      end === 'away'
        ? 'the source of a mirror is away: what is here is served, and it is tried again'
        : 'a mirror does not get level: what is here is served, and it is tried again';
    this.log[isNews ? 'warn' : 'debug'](text, { source, error });
  }
}
