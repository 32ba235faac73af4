import { Histogram } from './histogram.ts';

/** What became of a request for an insight. */
export const INSIGHT_RESULTS = ['done', 'kept', 'refused', 'timeout', 'abandoned', 'failed'] as const;
export type InsightResult = (typeof INSIGHT_RESULTS)[number];

/** Upper bounds, in seconds, up to what `--insight-timeout` usually is. */
const DURATIONS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface OneInsight {
  readonly asked: Record<InsightResult, number>;
  /** Of those that were begun, whatever became of them. */
  readonly seconds: Histogram;
}

/** The insights of a server in numbers, by name: of those that were asked for since the start. */
export class InsightFigures {
  readonly insights = new Map<string, OneInsight>();

  count(name: string, result: InsightResult): void {
    this.of(name).asked[result]++;
  }

  took(name: string, seconds: number): void {
    this.of(name).seconds.observe(seconds);
  }

  private of(name: string): OneInsight {
    let figures = this.insights.get(name);
    if (!figures) {
      const asked = { done: 0, kept: 0, refused: 0, timeout: 0, abandoned: 0, failed: 0 };
      figures = { asked, seconds: new Histogram(DURATIONS) };
      this.insights.set(name, figures);
    }
    return figures;
  }
}
