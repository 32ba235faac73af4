import type { StandbyLag } from '../../../meter/standby-lag.ts';
import { GENERATION } from './coherence.ts';
import type { Statement } from './pool.ts';

/** What a host reports. */
export interface HostState {
  readonly standby: boolean;
  /** Another one after a standby was promoted, or a backup restored: what was committed last may be gone. */
  readonly timeline: number;
  /** Of removals, at the same moment. */
  readonly generation: string;
  readonly streaming: boolean;
  readonly bytes: string | null;
  /** Since the primary committed what was replayed last, by the clocks of both. */
  readonly seconds: number | null;
}

/**
 * `latest_end_lsn` is shown to members of pg_read_all_stats only; for others what was received counts. Whoever may not
 * see the state of the receiver sees that there is one.
 */
export const HOST_STATE: Statement = {
  name: 'bakeserv-host',
  text: `SELECT h.standby, ${GENERATION} AS generation,
    CASE WHEN h.standby THEN (SELECT timeline_id FROM pg_control_checkpoint())
      ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
    h.standby AND r.there AS streaming,
    CASE WHEN h.standby AND r.there
      THEN pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), r.sent), pg_last_wal_replay_lsn()) END AS bytes,
    CASE WHEN h.standby
      THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS seconds
    FROM (SELECT pg_is_in_recovery() AS standby) h,
      (SELECT count(*) > 0 AS there, max(latest_end_lsn) AS sent FROM pg_stat_wal_receiver) r`,
};

/** A state is asked for each second: one that is older than this says nothing about now. */
const FRESH_MS = 3000;

/** Puts together how far behind a standby is, from what its host says again and again. Times are of one clock, in milliseconds. */
export class StandbyWatch {
  private state: HostState | null = null;
  private askedAt = 0;
  /** When everything that the primary had sent was last seen to be replayed. */
  private caughtUpAt: number | null = null;

  /** @param at when it was asked: what came since is not in it */
  saw(state: HostState, at: number): void {
    this.state = state;
    this.askedAt = at;
    if (!state.standby) this.caughtUpAt = null;
    else if (isCaughtUp(state)) this.caughtUpAt = at;
  }

  /** Null where the host is no standby, or nothing is known about it. */
  lag(now: number): StandbyLag | null {
    const { state } = this;
    if (!state?.standby) return null;
    const isFresh = now - this.askedAt < FRESH_MS;
    return {
      seconds: isFresh && isCaughtUp(state) ? 0 : this.secondsBehind(state, now),
      bytes: state.bytes === null ? null : Math.max(0, Number(state.bytes)),
      streaming: state.streaming,
    };
  }

  /**
   * The time of the last commit alone would grow on a primary that commits nothing: what arrived a moment ago would seem
   * to be as old as that. It cannot be older than when the standby had everything.
   */
  private secondsBehind({ seconds }: HostState, now: number): number | null {
    const known = [
      seconds === null ? null : Math.max(0, seconds) + (now - this.askedAt) / 1000,
      this.caughtUpAt === null ? null : (now - this.caughtUpAt) / 1000,
    ].filter((each) => each !== null);
    return known.length === 0 ? null : Math.min(...known);
  }
}

function isCaughtUp({ streaming, bytes }: HostState): boolean {
  return streaming && bytes !== null && Number(bytes) <= 0;
}
