/** What is asked of tasks: how many, of which recipe and task, and since when. */
export interface TaskArgs {
  readonly [key: string]: number | string | null;
  readonly limit: number;
  readonly PN: string | null;
  readonly task: string | null;
  /** The beginning of a time in ISO 8601, UTC; null: all. */
  readonly since: string | null;
}

/** Tells whether a task is asked for, by its recipe, its name, and when it was last reported. */
export function asks({ PN, task, since }: TaskArgs) {
  const from = since?.replace(' ', 'T').replace(/(Z|\+00:00)$/, '') ?? null;
  return (ofPN: string | null, ofTask: string | null, last: string | null): boolean =>
    (PN === null || PN === ofPN) &&
    (task === null || task === ofTask) &&
    (from === null || (last !== null && last >= from));
}
