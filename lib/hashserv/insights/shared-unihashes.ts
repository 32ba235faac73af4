import { compareTexts, Top } from '../../insights/top.ts';
import type { FoundEqual } from '../insight-rows.ts';

/** Tasks with one unihash. */
export interface Shared {
  readonly unihash: string;
  /** Of one of those that were found equal. */
  readonly PN: string | null;
  readonly task: string | null;
  /** Also the one that they are equal to. */
  tasks: number;
  /** The last report of those that were found equal. */
  last: string | null;
}

/** The unihashes that tasks share, and the newest of them; those of which more may come are held. */
export class SharedUnihashes {
  private readonly top: Top<Shared>;
  private readonly open = new Map<string, Shared>();
  /** How many there are. */
  count = 0;

  /** @param limit the most that are told */
  constructor(limit: number) {
    this.top = new Top(limit, (a, b) => compareTexts(b.last, a.last) || compareTexts(a.unihash, b.unihash));
  }

  add({ unihash, PN, task, created }: FoundEqual): void {
    const known = this.open.get(unihash);
    if (!known) {
      this.count++;
      this.open.set(unihash, { unihash, PN, task, tasks: 2, last: created });
      return;
    }
    known.tasks++;
    if (compareTexts(known.last, created) < 0) known.last = created;
  }

  /** No more will come of all but one of those that have been added; null: of none. */
  close(but: string | null): void {
    const kept = but === null ? undefined : this.open.get(but);
    for (const each of this.open.values()) if (each !== kept) this.top.add(each);
    this.open.clear();
    if (kept) this.open.set(kept.unihash, kept);
  }

  /** The newest first. */
  get newest(): readonly Shared[] {
    return this.top.list();
  }
}
