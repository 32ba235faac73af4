import { printable } from '../../errors.ts';

/** A job as a server lists it (docs/jobs.md). */
export interface ListedJob {
  readonly id: number;
  readonly kind: string;
  readonly parameters: unknown;
  readonly state: string;
  readonly cancelling?: boolean;
  readonly user: string | null;
  readonly address: string;
  readonly created: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly unit: string | null;
    readonly rate: number | null;
    readonly seconds_left: number | null;
  };
  readonly error: string | null;
}

/** As it shows it. */
export interface ShownJob extends ListedJob {
  readonly result: unknown;
  readonly log?: readonly string[];
}

export const isOver = ({ state }: ListedJob) => state !== 'waiting' && state !== 'running';

/** A line for a list. */
export function lineOf(job: ListedJob): string {
  const { id, kind, created, user, error } = job;
  const state = job.cancelling && !isOver(job) ? 'cancelling' : job.state;
  const what = [String(id).padStart(5), state.padEnd(11), kind.padEnd(14), created.slice(0, 19), user ?? 'anonymous'];
  return printable([...what, progressOf(job), error].filter(Boolean).join('  '));
}

/** Everything about it, a line each. */
export function describeJob(job: ShownJob): string[] {
  const { id, kind, parameters, state, user, address, created, started, ended, result, error } = job;
  const lines: readonly (readonly [name: string, value: string | null])[] = [
    ['parameters', JSON.stringify(parameters)],
    ['by', `${user ?? 'anonymous'} from ${address}, ${created}`],
    ['started', started],
    ['ended', ended],
    ['progress', progressOf(job)],
    ['result', result === null ? null : JSON.stringify(result)],
    ['error', error],
  ];
  return [
    `job ${id}: ${kind}, ${job.cancelling && !isOver(job) ? 'is being cancelled' : state}`,
    ...lines.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(10)}  ${value}`])),
  ].map(printable);
}

function progressOf(job: ListedJob): string | null {
  const { done, total, unit, rate, seconds_left: left } = job.progress;
  if (done === 0 && total === null) return null;
  const of = total === null ? '' : ` of ${total}`;
  const share = total === null || total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`;
  const speed = rate === null ? '' : `, ${Math.round(rate)} a second`;
  const rest = left === null ? '' : `, ${Math.ceil(left)} s left`;
  return `${done}${of}${unit === null ? '' : ` ${unit}`}${share}${speed}${rest}`;
}
