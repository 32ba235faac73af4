import fs from 'node:fs';
import path from 'node:path';

/** What is read of V8's .cpuprofile: times in microseconds of the monotonic clock that process.hrtime shows. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly name: string;
  readonly where: string;
  readonly ms: number;
  /** Of the time between `from` and `to`, idle time included. */
  readonly share: number;
}

/** The functions with the most time of their own between two instants, most first. */
export function topSelfTimes(profile: CpuProfile, from: number, to: number, count: number): SelfTime[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { name: string; where: string; us: number }>();
  let at = profile.startTime;
  let all = 0;
  for (const [i, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[i]!;
    at += delta;
    if (at < from || at > to) continue;
    const { functionName, url, lineNumber } = frames.get(id)!;
    const name = functionName || '(anonymous)';
    const where = url ? `${shortUrl(url)}:${lineNumber + 1}` : '';
    const entry = times.get(`${name} ${where}`) ?? { name, where, us: 0 };
    entry.us += delta;
    all += delta;
    times.set(`${name} ${where}`, entry);
  }
  return [...times.values()]
    .sort((a, b) => b.us - a.us)
    .slice(0, count)
    .map(({ name, where, us }) => ({ name, where, ms: us / 1000, share: us / all }));
}

function shortUrl(url: string): string {
  return url.replace(/^file:\/\//, '').replace(/^.*\/(dist|node_modules)\//, '');
}

/** Reads the one profile that a server has written into a folder. */
export function readProfile(folder: string): CpuProfile {
  const [name] = fs.readdirSync(folder).filter((each) => each.endsWith('.cpuprofile'));
  if (!name) throw new Error(`no .cpuprofile in ${folder}: the server did not end cleanly`);
  return JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
}

export function printSelfTimes(row: string, times: readonly SelfTime[]): string {
  const lines = times.map(
    ({ name, where, ms, share }) =>
      `${(share * 100).toFixed(1).padStart(6)} % ${ms.toFixed(0).padStart(6)} ms  ${name.padEnd(32)} ${where}`,
  );
  return `\n${row}\n${lines.join('\n')}\n`;
}
