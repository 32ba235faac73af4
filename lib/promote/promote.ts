import type { Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { TaskSpool } from '../hashserv/task-spool.ts';
import type { JobRun, Slice } from '../jobs/kind.ts';
import { PrFindings } from '../prserv/pull/findings.ts';
import { ConflictError, previewPrs, publishPrs } from '../prserv/pull/publish.ts';
import type { PrSpool } from '../prserv/pull/spool.ts';
import { openSource } from '../pull/open-source.ts';
import { selectionOf } from '../pull/parameters.ts';
import type { PullParts } from '../pull/parts.ts';
import { type PrResult, prResult } from '../pull/progress.ts';
import { wantsValue } from '../pull/selection.ts';
import type { PullSource } from '../pull/source.ts';
import { spoolValues } from '../pull/values.ts';
import { requireOther, type Services, wantedOf } from '../pull/wanted.ts';
import { ChangedError, type Digests, NOTHING, readDigests, seePlans, writeDigests } from './changed.ts';
import { type Finder, finderOf, gather } from './gather.ts';
import { nothingPromoted, type PromotedHashes, promoteHashes } from './hashes.ts';
import { digestOf, PromotionList } from './list.ts';
import type { ListFile } from './list-file.ts';
import { Names } from './names.ts';
import { type PromoteParameters, servicesOf, sourceOf } from './parameters.ts';

/**
 * How far a promotion has come: only whether PR values are published, and with what result. All else is found again after a
 * kill, and what is stored a second time changes nothing.
 */
interface PromotePosition {
  readonly prs: PrResult | null;
}

/** A promotion that is under way. */
export class Promote {
  private readonly parts: PullParts;
  private readonly job: JobRun<PromoteParameters>;
  private readonly names: Names;
  private readonly list: PromotionList;
  /** What somebody has seen and confirmed; null: whatever is found is done. */
  private readonly confirmed: Digests | null;
  private digests: Digests = { prs: NOTHING, hashes: NOTHING };
  private position: PromotePosition = { prs: null };
  private prs: PrResult | null = null;
  private hashes: PromotedHashes | null = null;
  private withoutUnihash = 0;
  private hasChanged = false;
  private done = 0;
  private total: number | null = null;

  /** @param all what gets every name of the list; null: nothing */
  constructor(parts: PullParts, job: JobRun<PromoteParameters>, all: ListFile | null) {
    this.parts = parts;
    this.job = job;
    this.list = new PromotionList(all);
    this.names = new Names(job.parameters.packages);
    this.confirmed = readDigests(job.parameters.confirmed);
  }

  async *run(from: Json): AsyncGenerator<Slice, Json, void> {
    const { parts, job } = this;
    this.position = (from as unknown as PromotePosition | null) ?? this.position;
    this.prs = this.position.prs;
    const parameters = sourceOf(job.parameters);
    const asked = { ...selectionOf(parameters), ...servicesOf(job.parameters) };
    const source = await openSource(parameters, asked, parts, job.signal);
    try {
      const wanted = wantedOf('promote', asked, job.parameters, parts, source);
      if (wanted.hashes) await requireOther('promote', parts.hashes!, source, !parameters.dry_run);
      yield* this.promote(source, wanted);
      return this.result({ ...this.list.told });
    } catch (error) {
      if (error instanceof ChangedError) this.hasChanged = true;
      if (error instanceof ConflictError) this.prs = prResult(error.findings, null);
      // What it had found is shown with the error.
      if (error instanceof InvokeError) yield { ...this.step(0), soFar: this.result({ ...this.list.told }) };
      throw error;
    } finally {
      await source.close();
    }
  }

  private async *promote(source: PullSource, wanted: Services): AsyncGenerator<Slice, void> {
    const values = await this.parts.openSpool();
    const tasks = await this.parts.openTaskSpool();
    try {
      const finder = wanted.hashes ? await finderOf(source) : null;
      // After a kill they may be published already.
      const hasValues = wanted.prs && this.position.prs === null;
      if (hasValues) yield* this.readValues(source, values);
      if (finder) yield* this.readTasks(finder, tasks);
      const fault = this.position.prs === null ? await this.names.fault(source.name) : null;
      if (fault !== null) throw new InvokeError(`promote: ${fault}`, undefined, 'missing');
      if (this.confirmed && this.confirmed.hashes !== this.digests.hashes) throw new ChangedError('tasks and reports');
      if (hasValues) yield* this.promoteValues(values);
      if (finder) yield* this.promoteTasks(finder, tasks);
    } finally {
      await tasks.close();
      await values.close();
    }
  }

  private async *readValues(source: PullSource, spool: PrSpool): AsyncGenerator<Slice, void> {
    const selection = selectionOf(sourceOf(this.job.parameters));
    const wants = (row: Parameters<typeof wantsValue>[1]) =>
      this.names.takesValue(row.version) && wantsValue(selection, row);
    let before = 0;
    for await (const read of spoolValues(source, spool, wants)) {
      yield this.step(read - before);
      before = read;
    }
  }

  private async *readTasks(finder: Finder, spool: TaskSpool): AsyncGenerator<Slice, void> {
    const gathering = gather(finder, this.names, spool);
    for (;;) {
      const { done, value } = await gathering.next();
      if (done) {
        this.withoutUnihash = value;
        break;
      }
      yield this.step(value);
    }
    const { tasks, reports } = await spool.counts();
    this.total = this.done + tasks + reports;
    this.digests = { ...this.digests, hashes: await digestOf(spool) };
    yield this.step(0);
  }

  private async *promoteValues(spool: PrSpool): AsyncGenerator<Slice, void> {
    const { on_conflict: onConflict = 'fail', dry_run: dryRun = false } = this.job.parameters;
    const pull = { store: this.parts.prs!.store, spool, onConflict };
    const expected = this.confirmed?.prs ?? null;
    const seen = seePlans(this.list, expected);
    let found = new PrFindings();
    for await (found of previewPrs(pull, seen)) {
      await this.list.flush();
      yield this.step(0);
    }
    this.digests = { ...this.digests, prs: seen.digest };
    this.prs = prResult(found, null);
    if (dryRun) return;
    if (onConflict === 'fail' && found.conflictRows > 0) throw new ConflictError(found);
    const { signal } = this.job;
    const published = found.stored > 0 ? await publishPrs(pull, found.stored, signal, seePlans(null, expected)) : null;
    this.prs = prResult(found, published);
    this.position = { prs: this.prs };
    this.job.note(`PR values: ${published?.stored ?? 0} stored`);
    yield { ...this.step(0), save: true };
  }

  private async *promoteTasks(finder: Finder, spool: TaskSpool): AsyncGenerator<Slice, void> {
    const { store, onStored } = this.parts.hashes!;
    const { job, list } = this;
    const { dry_run: dryRun = false } = job.parameters;
    this.hashes = nothingPromoted();
    const promotion = { store, spool, finder, list, dryRun, onStored, signal: job.signal };
    for await (const rows of promoteHashes(promotion, this.hashes)) {
      await list.flush();
      yield this.step(rows);
    }
    if (!dryRun) job.note(`${this.hashes.tasks.new} tasks and ${this.hashes.reports.new} reports stored`);
  }

  /** @param rows done since the last one */
  private step(rows: number): Slice {
    this.done += rows;
    const { done, total } = this;
    const position = this.position.prs === null ? null : (this.position as unknown as Json);
    return { position, done, total: total === null ? null : Math.max(done, total), soFar: this.result(null) };
  }

  private result(list: Json): Json {
    const { dry_run: dryRun = false, on_conflict: onConflict = 'fail' } = this.job.parameters;
    const { prs, hashes, withoutUnihash } = this;
    return {
      dry_run: dryRun,
      on_conflict: onConflict,
      prs,
      hashes: hashes && { tasks: { ...hashes.tasks }, reports: { ...hashes.reports }, without_unihash: withoutUnihash },
      list,
      confirm: writeDigests(this.digests),
      ...(this.hasChanged && { changed: true }),
    };
  }
}
