import type { Json } from '../asyncrpc/wire/messages.ts';
import { NOTE_PREFIX, type NoteName } from '../hashserv/store.ts';
import type { JobRun, Slice } from '../jobs/kind.ts';
import { PrFindings } from '../prserv/pull/findings.ts';
import { ConflictError, previewPrs, publishPrs } from '../prserv/pull/publish.ts';
import type { PrSpool } from '../prserv/pull/spool.ts';
import { type HashPlaces, NO_PLACES, noHashes, pullHashes } from './hashes.ts';
import { openSource } from './open-source.ts';
import { type PullParameters, selectionOf } from './parameters.ts';
import type { PullParts } from './parts.ts';
import { AT_THE_START, hashResult, type PrResult, type PullPosition, prResult } from './progress.ts';
import { nameOfSelection, type Selection, wantsValue } from './selection.ts';
import type { PullPart, PullSource } from './source.ts';
import { spoolValues } from './values.ts';
import { requireOther, wantedOf } from './wanted.ts';

/** How often it is noted how far a source has been read. */
const NOTE_EVERY_MS = 2000;

/** A pull that is under way. */
export class Pull {
  private readonly parts: PullParts;
  private readonly job: JobRun<PullParameters>;
  private readonly selection: Selection;
  private position: PullPosition = AT_THE_START;
  private total: number | null = null;
  /** Of the source's database of hashes. */
  private sourceId: string | null = null;

  constructor(parts: PullParts, job: JobRun<PullParameters>) {
    this.parts = parts;
    this.job = job;
    this.selection = selectionOf(job.parameters);
  }

  async *run(from: Json): AsyncGenerator<Slice, Json, void> {
    this.position = (from as unknown as PullPosition | null) ?? AT_THE_START;
    const { parts, job, selection } = this;
    const source = await openSource(job.parameters, selection, parts, job.signal);
    try {
      const wanted = wantedOf('pull', selection, job.parameters, parts, source);
      if (wanted.hashes) this.sourceId = await requireOther('pull', parts.hashes!, source, !job.parameters.dry_run);
      this.total = await countOf(source, wanted);
      if (wanted.prs && this.position.prs === null) yield* this.pullPrs(source);
      if (wanted.hashes) yield* this.pullHashes(source);
      return this.result();
    } finally {
      await source.close();
    }
  }

  private async *pullPrs(source: PullSource): AsyncGenerator<Slice, void, void> {
    const { on_conflict: onConflict = 'fail', dry_run: dryRun = false } = this.job.parameters;
    const { store } = this.parts.prs!;
    const spool = await this.parts.openSpool();
    try {
      yield* this.readValues(source, spool);
      const pull = { store, spool, onConflict };
      let found = new PrFindings();
      for await (found of previewPrs(pull)) yield this.slice();
      if (dryRun) return this.setPrs(prResult(found, null));
      if (onConflict === 'fail' && found.conflictRows > 0) {
        yield this.failing(found);
        throw new ConflictError(found);
      }
      const published = found.stored > 0 ? await this.publish(pull, found) : null;
      if (published instanceof ConflictError) {
        yield this.failing(published.findings);
        throw published;
      }
      this.setPrs(prResult(found, published));
      this.job.note(`PR values: ${published?.stored ?? 0} stored`);
      yield { ...this.slice(), save: true };
    } finally {
      await spool.close();
    }
  }

  /** The conflicts are told where something was given out since the preview. */
  private async publish(pull: Parameters<typeof publishPrs>[0], found: PrFindings) {
    try {
      return await publishPrs(pull, found.stored, this.job.signal);
    } catch (error) {
      if (error instanceof ConflictError) return error;
      throw error;
    }
  }

  private failing(found: PrFindings): Slice {
    return { ...this.slice(), position: null, soFar: this.resultOf(prResult(found, null)) };
  }

  private async *readValues(source: PullSource, spool: PrSpool): AsyncGenerator<Slice, void, void> {
    for await (const prRows of spoolValues(source, spool, (row) => wantsValue(this.selection, row))) {
      this.position = { ...this.position, prRows };
      yield { ...this.slice(), position: null };
    }
  }

  private setPrs(prs: PrResult): void {
    this.position = { ...this.position, prs };
  }

  private async *pullHashes(source: PullSource): AsyncGenerator<Slice, void, void> {
    const { store, onStored } = this.parts.hashes!;
    const { dry_run: dryRun = false } = this.job.parameters;
    const noteName = this.noteName();
    const noted = noteName === null ? null : await store.note(noteName);
    const { selection } = this;
    const from = this.position.places ?? (noted === null ? NO_PLACES : (JSON.parse(noted) as HashPlaces));
    const pull = { source, store, selection, dryRun, from, onStored, note: this.job.note };
    const setNote = async (places: HashPlaces) => {
      if (noteName !== null && !dryRun) await store.setNote(noteName, JSON.stringify(places));
    };
    let notedAt = performance.now();
    const steps = pullHashes(pull, this.position.hashes ?? noHashes());
    for (;;) {
      const { done, value } = await steps.next();
      this.position = { ...this.position, hashes: value.counts, places: value.places };
      if (done) return setNote(value.places);
      if (performance.now() - notedAt >= NOTE_EVERY_MS) {
        await setNote(value.places);
        notedAt = performance.now();
      }
      yield this.slice();
    }
  }

  /** Where it is noted how far that source was read; null: all of it is read each time. */
  private noteName(): NoteName | null {
    const id = this.sourceId;
    if (this.selection.since !== null || id === null || !/^[\w-]{8,64}$/.test(id)) return null;
    return `${NOTE_PREFIX}pull-${id}-${nameOfSelection(this.selection)}`;
  }

  private slice(): Slice {
    const { prRows, hashes } = this.position;
    const done = prRows + (hashes?.read ?? 0);
    const total = this.total === null ? null : Math.max(done, this.total);
    return { position: this.position as unknown as Json, done, total, soFar: this.result() };
  }

  private result(): Json {
    return this.resultOf(this.position.prs);
  }

  private resultOf(prs: PrResult | null): Json {
    const { dry_run: dryRun = false, on_conflict: onConflict = 'fail' } = this.job.parameters;
    const { hashes } = this.position;
    return { dry_run: dryRun, on_conflict: onConflict, prs, hashes: hashes && hashResult(hashes) };
  }
}

async function countOf(source: PullSource, wanted: { hashes: boolean; prs: boolean }): Promise<number | null> {
  const parts: PullPart[] = [
    ...(wanted.prs ? (['values'] as const) : []),
    ...(wanted.hashes ? (['unihashes', 'outhashes'] as const) : []),
  ];
  let sum = 0;
  for (const part of parts) {
    const count = await source.count(part);
    if (count === null) return null;
    sum += count;
  }
  return sum;
}
