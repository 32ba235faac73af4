import { TopMisses } from './top-misses.ts';

/** What look-ups of tasks came to: the task is known here, by nobody, or by the upstream alone. */
export class MethodFigures {
  hits = 0;
  misses = 0;
  upstreamHits = 0;
}

/** The same with its name, as it goes to other processes. */
export interface MethodCounts {
  readonly method: string;
  readonly hits: number;
  readonly misses: number;
  readonly upstreamHits: number;
}

/** Methods that are counted by their names; a farm has one or two. */
export const COUNTED_METHODS = 7;
/** What all others are counted as. */
export const OTHER_METHODS = 'other';

/**
 * Look-ups of tasks by method. Lines that are answered together are counted under the method of the first: nearly every stream
 * has one method, and to look at each line would cost more than to answer it.
 */
export class TaskLookups {
  readonly missed = new TopMisses();
  private readonly methods = new Map<string, MethodFigures>();
  private readonly others = new MethodFigures();
  /** What a line of the method that was counted last begins with. */
  private prefix = '\n';
  private last = this.others;

  /** Where look-ups of a method are counted: at the same place each time. */
  of(method: string): MethodFigures {
    const known = this.methods.get(method);
    if (known) return known;
    if (this.methods.size >= COUNTED_METHODS || method === OTHER_METHODS) return this.others;
    const figures = new MethodFigures();
    // A copy: a part of a text keeps all of it in memory.
    this.methods.set(Buffer.from(method).toString(), figures);
    return figures;
  }

  /** The same for a line `method taskhash`. */
  ofLine(line: string): MethodFigures {
    return line.startsWith(this.prefix) ? this.last : this.change(line.slice(0, Math.max(0, line.indexOf(' '))));
  }

  /** All methods that were asked for. */
  counts(): readonly MethodCounts[] {
    const all = [...this.methods].map(([method, figures]) => countsOf(method, figures));
    const { hits, misses, upstreamHits } = this.others;
    return hits + misses + upstreamHits === 0 ? all : [...all, countsOf(OTHER_METHODS, this.others)];
  }

  private change(method: string): MethodFigures {
    this.last = this.of(method);
    this.prefix = Buffer.from(`${method} `).toString();
    return this.last;
  }
}

const countsOf = (method: string, { hits, misses, upstreamHits }: MethodFigures): MethodCounts => ({
  method,
  hits,
  misses,
  upstreamHits,
});

/** What several processes of one server have counted, as one. */
export function joinMethods(lists: readonly (readonly MethodCounts[])[]): readonly MethodCounts[] {
  const joined = new Map<string, MethodCounts>();
  for (const each of lists.flat()) {
    const { hits, misses, upstreamHits } = joined.get(each.method) ?? new MethodFigures();
    joined.set(each.method, {
      method: each.method,
      hits: hits + each.hits,
      misses: misses + each.misses,
      upstreamHits: upstreamHits + each.upstreamHits,
    });
  }
  return [...joined.values()];
}
