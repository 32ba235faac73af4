import { errorText } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { MissCount } from '../meter/top-misses.ts';
import { COLUMNS } from './columns.ts';
import type { Figures } from './figures.ts';
import { load, save } from './file.ts';
import { SHAPES, Tracks } from './tracks.ts';
import { type HistoryView, historyOf, type LookupsView, lookupsOf, type Span } from './view.ts';

/** The figures of a server over time. */
export interface History {
  all(span: Span): Promise<HistoryView>;
  lookups(span: Span): Promise<LookupsView>;
}

export interface RecorderOptions {
  /**
   * What the server has counted since its start.
   * @param counting rows must be counted too, in the background
   */
  gather(counting: boolean): Promise<Figures>;
  /** The tasks that were missed most in the last hour. */
  missed(): Promise<readonly MissCount[]>;
  /** Where it is kept; null: in memory alone. Called once, when the databases are open: a file that is not there cannot be told from others. */
  readonly file: () => string | null;
  readonly log: Logger;
  /** In milliseconds since 1970. */
  readonly now?: () => number;
}

const [{ bucketMs: MINUTE_MS }, { bucketMs: HOUR_MS }] = SHAPES as readonly [(typeof SHAPES)[0], (typeof SHAPES)[0]];

/**
 * Looks at what a server counts at the end of each minute in which it has clients, and when somebody asks. Without clients it does
 * nothing: what they did before the last one left is noted when the next one comes, under the minute in which it happened.
 */
export class Recorder implements History {
  private readonly options: RecorderOptions;
  private readonly now: () => number;
  private readonly startedAt: number;
  private opened: Tracks | null = null;
  private file: string | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** When the last client left, since when nothing was noted; null while there are clients. */
  private restsSince: number | null;
  private looking: Promise<void> = Promise.resolve();
  private countedHour = Number.NaN;
  private saved: Promise<void> = Promise.resolve();
  private savedHour: number;
  private cannotSave = false;
  private closed = false;
  /** Whether anybody was ever there, or has asked. */
  private isUsed = false;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
    this.startedAt = this.now();
    this.restsSince = this.startedAt;
    this.savedHour = Math.floor(this.startedAt / HOUR_MS);
  }

  /** A client is there. Cheap enough for every one that comes. */
  wake(): void {
    if (this.timer || this.closed) return;
    this.isUsed = true;
    const { restsSince } = this;
    this.restsSince = null;
    const now = this.now();
    if (restsSince !== null && minuteOf(now) > minuteOf(restsSince)) void this.look(restsSince);
    this.wait(now);
  }

  /** The last client has gone. */
  rest(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.restsSince ??= this.now();
  }

  async all(span: Span): Promise<HistoryView> {
    const now = this.now();
    return historyOf(await this.lookNow(now), span, now);
  }

  async lookups(span: Span): Promise<LookupsView> {
    const now = this.now();
    const [tracks, missed] = await Promise.all([this.lookNow(now), this.options.missed()]);
    return lookupsOf(tracks, span, now, missed);
  }

  /** Notes what was not yet, and keeps it. To be called while figures can still be gathered. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const at = this.restsSince ?? this.now();
    this.rest();
    if (!this.isUsed) return;
    await this.look(at);
    await this.save();
  }

  /** Until the minute is over. */
  private wait(now: number): void {
    const minute = minuteOf(now);
    this.timer = setTimeout(
      () => {
        this.timer = null;
        void this.look((minute + 1) * MINUTE_MS - 1);
        if (!this.closed) this.wait(Math.max(this.now(), (minute + 1) * MINUTE_MS));
      },
      Math.max(1, (minute + 1) * MINUTE_MS - now),
    );
    this.timer.unref();
  }

  private get tracks(): Tracks {
    if (this.opened) return this.opened;
    const tracks = new Tracks();
    this.opened = tracks;
    const { log } = this.options;
    const file = this.options.file();
    this.file = file;
    if (file !== null) {
      const { methods, fault } = load(file, COLUMNS, tracks.rings);
      tracks.setMethods(methods);
      if (fault !== null) log.warn('the figures over time cannot be read: they begin again', { file, why: fault });
    }
    tracks.begin(this.startedAt);
    return tracks;
  }

  private async lookNow(now: number): Promise<Tracks> {
    this.isUsed = true;
    await this.look(now);
    return this.tracks;
  }

  /** Notes what was counted since the last look, as of a moment; one after the other. Never rejects. */
  private look(at: number): Promise<void> {
    this.looking = this.looking.then(() => this.lookOnce(at));
    return this.looking;
  }

  private async lookOnce(at: number): Promise<void> {
    const { gather, log } = this.options;
    const hour = Math.floor(at / HOUR_MS);
    try {
      // Nobody waits for it at the end, when the databases are about to be closed.
      const figures = await gather(hour !== this.countedHour && !this.closed);
      this.countedHour = hour;
      this.tracks.note(figures, at);
      if (hour !== this.savedHour) {
        this.savedHour = hour;
        void this.save();
      }
    } catch (error) {
      log.debug('figures could not be recorded', { error });
    }
  }

  /** Nothing is written for a server that nobody has asked anything. */
  private save(): Promise<void> {
    const { log } = this.options;
    const { tracks, file } = this;
    if (file === null || !tracks.isUsed) return this.saved;
    this.saved = this.saved.then(async () => {
      try {
        await save(file, { columns: COLUMNS, methods: tracks.methods, rings: tracks.rings });
        this.cannotSave = false;
      } catch (error) {
        if (!this.cannotSave) log.warn('the figures over time cannot be kept', { file, why: errorText(error) });
        this.cannotSave = true;
      }
    });
    return this.saved;
  }
}

const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS);
