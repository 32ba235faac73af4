import type { JobState, ListedJob } from '../../api/jobs.ts';
import { count, counted, percent, rate } from '../../format/numbers.ts';
import { duration } from '../../format/time.ts';
import type { Tone } from '../../parts/tone.ts';

export const JOB_TONES: Readonly<Record<JobState, Tone>> = {
  waiting: 'plain',
  running: 'accent',
  done: 'good',
  failed: 'bad',
  cancelled: 'warn',
  interrupted: 'warn',
};

/** How far a job is: `1,200 of 8,000 rows (15 %), 400/s, 17 s left`. */
export function progressText({
  progress: { done, total, unit, rate: speed, seconds_left: left },
  state,
}: ListedJob): string {
  const what = unit ?? 'steps';
  const parts = [total === null ? `${count(done)} ${what}` : `${count(done)} of ${count(total)} ${what}`];
  if (total !== null && total > 0) parts[0] += ` (${percent(Math.min(done, total), total)})`;
  if (state === 'running' && speed !== null) parts.push(rate(speed));
  if (state === 'running' && left !== null) parts.push(`${duration(left)} left`);
  return parts.join(', ');
}

/** What a job was asked for, as `name: value`. */
export function parameterTexts(parameters: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(parameters).map(([name, value]) => `${name}: ${plain(value)}`);
}

/** A line of a result: a name and a figure or a word. What is nested has its path as the name. */
export interface ResultLine {
  readonly name: string;
  readonly value: string;
}

const MOST_LINES = 200;

/** A result as lines; lists are counted, and left out where they are empty, or are rows that have a table of their own. */
export function resultLines(result: unknown, path = ''): ResultLine[] {
  if (result === null || result === undefined) return [];
  if (Array.isArray(result) && (result.length === 0 || isObject(result[0]))) return [];
  if (Array.isArray(result)) return [{ name: path || 'list', value: counted(result.length, 'row') }];
  if (typeof result !== 'object') return [{ name: path || 'result', value: plain(result) }];
  return Object.entries(result)
    .flatMap(([name, value]) => resultLines(value, path ? `${path}, ${words(name)}` : words(name)))
    .slice(0, MOST_LINES);
}

/** Whether a value is a row: a list of such is a table. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The name of a part of a result, in words. */
export const words = (name: string): string => (name === 'prs' ? 'PR values' : name.replaceAll('_', ' '));

function plain(value: unknown): string {
  if (typeof value === 'number') return count(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return JSON.stringify(value) ?? '';
}
