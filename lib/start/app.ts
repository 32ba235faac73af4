import type { Hub } from '../asyncrpc/server/hub.ts';
import type { StorageError } from '../errors.ts';
import type { Loading } from '../hashserv/store.ts';
import type { HttpDoor } from '../http/door.ts';
import type { Jobs } from '../jobs/late.ts';
import type { StandbyLag } from '../meter/standby-lag.ts';
import type { Metrics } from '../metrics/source.ts';
import type { Config } from '../settings/config.ts';
import type { Warnings } from '../warnings/gather.ts';
import type { Door } from './doors.ts';
import type { Follower, TakenOver } from './followers.ts';
import type { Mirroring } from './mirrors.ts';
import type { Recording } from './recorder.ts';

/** The services on their databases, without a listener: clients come in through `hub.accept`. */
export interface App extends AsyncDisposable {
  readonly hub: Hub;
  /** What it counts, for listeners that show it. */
  readonly metrics: Metrics;
  /** Resolves when a database can no longer be trusted or written: the process must exit with status 3. */
  readonly failed: Promise<StorageError>;
  /**
   * Takes the clients of HTTP listeners. Loads what serves them; to be stopped before the app is closed.
   * @param listeners the server's, for those who ask how it is
   */
  openHttp(listeners?: () => readonly Door[]): Promise<HttpDoor>;
  /** Long work in the background. */
  readonly jobs: Jobs;
  /** The servers that this one keeps itself level with. `resume` begins with that, and goes on with jobs of an earlier start. */
  readonly mirrors: Pick<Mirroring, 'list' | 'resume'>;
  /** What it counts over time. */
  readonly recording: Pick<Recording, 'all' | 'lookups' | 'figures' | 'missed'>;
  /** What wants somebody, given the listeners. */
  readonly warnings: Warnings;
  /** How much of the unihashes is in memory; null without hash equivalence. */
  loading(): Loading | null;
  /** How far behind the standbys are that services read from; null where it is a primary or a file. */
  lags(): { readonly hashserv: StandbyLag | null; readonly prserv: StandbyLag | null };
  /** Reads from each store and checks that it can be written. Resolves to what is wrong, a line each. */
  check(): Promise<readonly string[]>;
  /**
   * Takes over what a running server can of new settings, and has `others` do so (lib/start/followers.ts).
   * @throws ConfigError when they are wrong: then everything stays as it was
   */
  takeOver(config: Config, others?: readonly Follower[]): Promise<TakenOver>;
  /** Goes on in a new access log, as after a rotation. Throws the system's error, and then goes on in the old one. */
  reopen(): void;
  /** Finishes what was read, flushes, checkpoints and closes. May be called again: it is done once. */
  close(): Promise<void>;
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Server extends App {
  /** As the app, and the rights of listeners. */
  takeOver(config: Config): Promise<TakenOver>;
  readonly listeners: readonly Door[];
}
