import { BadLine } from '../../asyncrpc/dispatch.ts';
import { isHash } from '../../asyncrpc/wire/formats.ts';
import type { LineFigures } from '../../meter/request-figures.ts';
import type { HashContext } from '../context.ts';

/** Answers lines `method taskhash` with the unihash, or an empty line. */
export function getStream(context: HashContext, lines: readonly string[]): string | Promise<string> {
  const { store } = context;
  let text = '';
  for (let i = 0; i < lines.length; i++) {
    const known = store.knownUnihash(lines[i]!);
    if (known === undefined) return getRest(lines, i, text);
    text += `${known}\n`;
  }
  noteHits(context, lines, lines.length);
  return text;

  /** From the first line on whose answer is not in the cache: such lines are looked up together. */
  async function getRest(lines: readonly string[], from: number, before: string): Promise<string> {
    const answers: (string | null | undefined)[] = [];
    const missing: string[] = [];
    for (let i = from; i < lines.length; i++) {
      const known = store.knownUnihash(lines[i]!);
      answers.push(known);
      if (known !== undefined) continue;
      // A known answer proves its line; only the others can be bad.
      if (!isTaskLine(lines[i]!)) throw new BadLine(i, 'Bad line in the stream: expected "method taskhash"');
      missing.push(lines[i]!);
    }
    const found = await lookUp(context, missing);
    let next = 0;
    let text = before;
    for (const answer of answers) text += `${(answer === undefined ? found[next++] : answer) ?? ''}\n`;
    noteHits(context, lines, lines.length - missing.length);
    return text;
  }
}

function noteHits(context: HashContext, lines: readonly string[], count: number): void {
  linesOf(context, 'get-stream').hit += count;
  context.figures.lookups.ofLine(lines[0]!).hits += count;
}

/** Ours, otherwise the upstream's; those are stored in the background, so that nobody waits for the disk. */
async function lookUp(context: HashContext, tasks: readonly string[]): Promise<readonly (string | null)[]> {
  const { store, upstream, backfill, readOnly } = context;
  const { lookups } = context.figures;
  const counts = linesOf(context, 'get-stream');
  const own = await store.unihashes(tasks);
  const missing = tasks.filter((_, i) => own[i] === null);
  const byMethod = lookups.ofLine(tasks[0]!);
  counts.hit += tasks.length - missing.length;
  byMethod.hits += tasks.length - missing.length;
  if (missing.length === 0) return own;
  if (!upstream) {
    counts.miss += missing.length;
    byMethod.misses += missing.length;
    lookups.missed.noteAll(missing);
    return own;
  }
  const found = await upstream.unihashes(missing);
  let next = 0;
  let hits = 0;
  const answers = own.map((unihash, i) => {
    if (unihash !== null) return unihash;
    const answer = found[next++]!;
    if (answer === null) return null;
    hits++;
    if (!readOnly) backfill.add(tasks[i]!, answer);
    return answer;
  });
  counts.upstreamHit += hits;
  counts.miss += missing.length - hits;
  byMethod.upstreamHits += hits;
  byMethod.misses += missing.length - hits;
  lookups.missed.noteAll(hits === 0 ? missing : missing.filter((_, i) => found[i] === null));
  return answers;
}

/** Where the lines of a stream are counted. */
function linesOf({ figures }: HashContext, command: 'get-stream' | 'exists-stream'): LineFigures {
  return figures.requests.of(command).lines!;
}

/** Answers lines `unihash` with `true` or `false`. */
export function existsStream(context: HashContext, lines: readonly string[]): string | Promise<string> {
  const { store, upstream } = context;
  const counts = linesOf(context, 'exists-stream');
  const missing = lines.filter((line) => !store.knownToExist(line));
  if (missing.length === 0) {
    counts.hit += lines.length;
    return 'true\n'.repeat(lines.length);
  }
  const bad = lines.findIndex((line) => !isUnihashLine(line));
  if (bad >= 0) throw new BadLine(bad, 'Bad line in the stream: expected a unihash');
  return store.unihashesExist(missing).then(async (found) => {
    const unknown = missing.filter((_, i) => !found[i]);
    const foundUpstream = upstream && unknown.length > 0 ? await upstream.unihashesExist(unknown) : [];
    const absent = new Set(unknown.filter((_, i) => !foundUpstream[i]));
    const fromUpstream = foundUpstream.filter(Boolean).length;
    counts.hit += lines.length - unknown.length;
    counts.upstreamHit += fromUpstream;
    counts.miss += unknown.length - fromUpstream;
    return lines.map((line) => (absent.has(line) ? 'false\n' : 'true\n')).join('');
  });
}

function isTaskLine(line: string): boolean {
  const blank = line.indexOf(' ');
  return blank > 0 && line.indexOf(' ', blank + 1) < 0 && isHash(line.slice(0, blank)) && isHash(line.slice(blank + 1));
}

function isUnihashLine(line: string): boolean {
  return isHash(line) && !line.includes(' ');
}
