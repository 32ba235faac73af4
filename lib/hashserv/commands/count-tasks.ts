import type { LineScanner, Scanned } from '../../asyncrpc/service.ts';
import type { Slate } from '../../asyncrpc/wire/slate.ts';
import type { TaskLookups } from '../../meter/task-lookups.ts';

const NEWLINE = 0x0a;
/** A unihash and its newline. */
const HIT_BYTES = 65;

/** The same scanner; what its lines came to is counted by method, and the tasks that were missed are noted. */
export function countTasks(scanner: LineScanner, lookups: TaskLookups): LineScanner {
  return {
    scan(input, from, to, output, most) {
      const scanned = scanner.scan(input, from, to, output, most);
      if (scanned.lines === 0) return scanned;
      const figures = lookups.ofBytes(input.bytes, from);
      figures.hits += scanned.lines - scanned.misses;
      figures.misses += scanned.misses;
      if (scanned.misses > 0) noteMisses(lookups, input.bytes, from, output, scanned);
      return scanned;
    },
  };
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
