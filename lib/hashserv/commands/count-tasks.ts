import type { LineScanner, Scanned } from '../../asyncrpc/service.ts';
import { beginsWith, type Slate, slateOf } from '../../asyncrpc/wire/slate.ts';
import type { MethodFigures, TaskLookups } from '../../meter/task-lookups.ts';

const NEWLINE = 0x0a;
const BLANK = 0x20;
/** A unihash and its newline. */
const HIT_BYTES = 65;

/** The same scanner; what its lines came to is counted by method, and the tasks that were missed are noted. */
export function countTasks(scanner: LineScanner, lookups: TaskLookups): LineScanner {
  return new TaskCounter(scanner, lookups);
}

/** Keeps in mind what a line of the last method begins with: that is all it looks at, once for all lines of a scan. */
class TaskCounter implements LineScanner {
  private readonly scanner: LineScanner;
  private readonly lookups: TaskLookups;
  private start = slateOf(Buffer.from('\n'));
  private figures: MethodFigures | null = null;

  constructor(scanner: LineScanner, lookups: TaskLookups) {
    this.scanner = scanner;
    this.lookups = lookups;
  }

  scan(input: Slate, from: number, to: number, output: Slate, most: number): Scanned {
    const scanned = this.scanner.scan(input, from, to, output, most);
    const { lines, misses } = scanned;
    if (lines === 0) return scanned;
    const figures =
      this.figures && beginsWith(input, from, to, this.start) ? this.figures : this.change(input.bytes, from);
    figures.hits += lines - misses;
    figures.misses += misses;
    if (misses > 0) noteMisses(this.lookups, input.bytes, from, output, scanned);
    return scanned;
  }

  private change(bytes: Buffer, from: number): MethodFigures {
    const blank = bytes.indexOf(BLANK, from);
    this.start = slateOf(Buffer.from(bytes.subarray(from, blank + 1)));
    this.figures = this.lookups.of(bytes.toString('utf8', from, blank));
    return this.figures;
  }
}

/** Goes through lines and answers side by side, as far as a miss has to be noted: an answer that is empty is one. */
function noteMisses({ missed }: TaskLookups, input: Buffer, from: number, { bytes }: Slate, scanned: Scanned): void {
  const { misses, written } = scanned;
  let wanted = missed.first();
  let place = 0;
  for (let line = from, answer = 0; wanted < misses && answer < written; ) {
    const end = input.indexOf(NEWLINE, line);
    if (bytes[answer] !== NEWLINE) answer += HIT_BYTES;
    else {
      if (place === wanted) wanted = missed.note(input.toString('latin1', line, end), place);
      place++;
      answer++;
    }
    line = end + 1;
  }
  missed.passed(misses, wanted);
}
