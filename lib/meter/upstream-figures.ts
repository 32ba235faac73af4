import { Histogram } from './histogram.ts';

/** What the look-ups of one upstream came to. */
export class LookupFigures {
  hit = 0;
  miss = 0;
  /** No good answer came in time. */
  unanswered = 0;
  /** The upstream was known to be away. */
  notAsked = 0;
  /** Answers that could not be right. */
  wrong = 0;
  /** Times it was given up because of failures. */
  openings = 0;
  /** From when look-ups were asked together until the last of them was answered or given up. */
  readonly seconds = new Histogram();

  /** Notes the answers to look-ups that were asked together, null where there is none. */
  note<Answer>(answers: readonly (Answer | null)[], isMiss: (answer: Answer) => boolean, elapsedMs: number): void {
    for (const answer of answers) {
      if (answer === null) this.unanswered++;
      else if (isMiss(answer)) this.miss++;
      else this.hit++;
    }
    if (answers.length > 0) this.seconds.observe(elapsedMs / 1000, answers.length);
  }
}
