import type { Json } from '../../lib/asyncrpc/wire/messages.ts';

interface Row {
  readonly taskhash: string;
  readonly outhash: string;
}

/** A request and the answer the rules of protocol.md sections 2 and 3 give it. */
export interface Expected {
  readonly command: string;
  readonly args: Json;
  readonly answer: Json;
}

/**
 * Hash equivalence of one method as the contract words it, one request after the other, in plain memory: what the
 * server must be indistinguishable from, however its batches, caches and connections interleave.
 */
export class SequentialModel {
  readonly unihashes = new Map<string, string>();
  readonly marked = new Set<string>();
  rows: Row[] = [];
  readonly method: string;

  constructor(method: string) {
    this.method = method;
  }

  private reply(taskhash: string, unihash: string | undefined): Json {
    return unihash === undefined ? null : { taskhash, method: this.method, unihash };
  }

  private store(taskhash: string, unihash: string, marking: boolean): void {
    if (this.unihashes.has(taskhash)) return;
    this.unihashes.set(taskhash, unihash);
    // Rows inserted while a mark is current get it.
    if (marking) this.marked.add(taskhash);
  }

  report(taskhash: string, outhash: string, unihash: string, marking: boolean): Expected {
    const { method } = this;
    const equivalent = this.rows.find(
      (row) => row.outhash === outhash && row.taskhash !== taskhash && this.unihashes.has(row.taskhash),
    );
    // New, or known and without its unihash: the same rule.
    this.store(taskhash, equivalent ? this.unihashes.get(equivalent.taskhash)! : unihash, marking);
    if (!this.rows.some((row) => row.taskhash === taskhash && row.outhash === outhash)) {
      this.rows.push({ taskhash, outhash });
    }
    const answer = this.reply(taskhash, this.unihashes.get(taskhash));
    return { command: 'report', args: { method, taskhash, outhash, unihash }, answer };
  }

  reportEquivalent(taskhash: string, unihash: string, marking: boolean): Expected {
    this.store(taskhash, unihash, marking);
    const answer = this.reply(taskhash, this.unihashes.get(taskhash));
    return { command: 'report-equiv', args: { method: this.method, taskhash, unihash }, answer };
  }

  get(taskhash: string): Expected {
    const answer = this.reply(taskhash, this.unihashes.get(taskhash));
    return { command: 'get', args: { method: this.method, taskhash, all: false }, answer };
  }

  /** The answer's taskhash and unihash are compared, which is what decides. */
  getOuthash(outhash: string, withUnihash: boolean): Expected {
    const found = this.rows.find(
      (row) => row.outhash === outhash && (!withUnihash || this.unihashes.has(row.taskhash)),
    );
    const args = { method: this.method, outhash, taskhash: 'any', with_unihash: withUnihash };
    if (!found) return { command: 'get-outhash', args, answer: null };
    const { taskhash } = found;
    const answer = { taskhash, outhash, ...(withUnihash && { unihash: this.unihashes.get(taskhash)! }) };
    return { command: 'get-outhash', args, answer };
  }

  removeTask(taskhash: string): Expected {
    const before = this.rows.length;
    this.rows = this.rows.filter((row) => row.taskhash !== taskhash);
    const count = before - this.rows.length + Number(this.unihashes.delete(taskhash));
    this.marked.delete(taskhash);
    return { command: 'remove', args: { where: { method: this.method, taskhash } }, answer: { count } };
  }

  removeUnihash(unihash: string, owned: boolean): Expected {
    const gone = owned
      ? [...this.unihashes].filter(([, value]) => value === unihash).map(([taskhash]) => taskhash)
      : [];
    for (const taskhash of gone) {
      this.unihashes.delete(taskhash);
      this.marked.delete(taskhash);
    }
    return { command: 'remove', args: { where: { unihash } }, answer: { count: gone.length } };
  }

  /** Stamps what has the unihash; the number of rows. */
  mark(unihash: string): number {
    const found = [...this.unihashes].filter(([, value]) => value === unihash);
    for (const [taskhash] of found) this.marked.add(taskhash);
    return found.length;
  }

  /** Deletes what is not stamped; the number of rows. */
  sweep(): number {
    const gone = [...this.unihashes.keys()].filter((taskhash) => !this.marked.has(taskhash));
    for (const taskhash of gone) this.unihashes.delete(taskhash);
    this.marked.clear();
    return gone.length;
  }

  cleanUnused(): number {
    const before = this.rows.length;
    this.rows = this.rows.filter((row) => this.unihashes.has(row.taskhash));
    return before - this.rows.length;
  }
}
