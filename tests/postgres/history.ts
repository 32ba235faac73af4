import { isBelow } from '../../lib/prserv/revision.ts';

/** A get-pr as its client saw it. Times are of one clock. */
export interface PrCall {
  readonly package: string;
  readonly checksum: string;
  readonly asked: number;
  readonly answered: number;
  readonly value: string;
}

/** A report of a task that has this one output. */
export interface ReportCall {
  readonly taskhash: string;
  readonly outhash: string;
  readonly asked: number;
  readonly answered: number;
  readonly unihash: string;
}

export interface History {
  readonly prs: PrCall[];
  readonly reports: ReportCall[];
  /** Calls that failed: what they did is not known. */
  failed: number;
  /** The longest a client waited for an answer or an error, in milliseconds. */
  longestMs: number;
}

export function newHistory(): History {
  return { prs: [], reports: [], failed: 0, longestMs: 0 };
}

/** What is wrong with a history, a line each; nothing where all promises were held. */
export function faultsOf(history: History): string[] {
  return [...valuesGivenTwice(history.prs), ...valuesGoneDown(history.prs), ...unequalOutputs(history.reports)];
}

function valuesGivenTwice(calls: readonly PrCall[]): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { package: name, value, checksum } of calls) {
    const key = `${name} ${value}`;
    const owner = owners.get(key) ?? checksum;
    owners.set(key, owner);
    if (owner !== checksum) faults.push(`${name}: the value ${value} was given to ${owner} and to ${checksum}`);
  }
  return faults;
}

/** Who asks after another was answered gets no smaller value. */
function valuesGoneDown(calls: readonly PrCall[]): string[] {
  const faults: string[] = [];
  for (const name of new Set(calls.map((call) => call.package))) {
    const own = calls.filter((call) => call.package === name);
    const byAnswer = [...own].sort((a, b) => a.answered - b.answered);
    let seen = 0;
    let largest: PrCall | null = null;
    for (const call of [...own].sort((a, b) => a.asked - b.asked)) {
      for (; seen < byAnswer.length && byAnswer[seen]!.answered < call.asked; seen++)
        if (!largest || isBelow(largest.value, byAnswer[seen]!.value)) largest = byAnswer[seen]!;
      if (largest && isBelow(call.value, largest.value))
        faults.push(`${name}: ${call.value} was given after ${largest.value}`);
    }
  }
  return faults;
}

/** Tasks with one and the same output have one unihash; and a task keeps its own. */
function unequalOutputs(calls: readonly ReportCall[]): string[] {
  const unihashes = new Map<string, string>();
  const faults: string[] = [];
  for (const { taskhash, outhash, unihash } of calls) {
    for (const key of [`output ${outhash}`, `task ${taskhash}`]) {
      const known = unihashes.get(key) ?? unihash;
      unihashes.set(key, known);
      if (known !== unihash) faults.push(`${key} was given ${known} and ${unihash}`);
    }
  }
  return faults;
}
