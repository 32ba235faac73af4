import { BakeservError, ConfigError, errorText, StorageError } from '../../errors.ts';
import { copy, partsToCopy } from '../../transfer/copy.ts';
import type { Source, Target } from '../../transfer/ends.ts';
import { PARTS, type Part, type ServiceName } from '../../transfer/parts.ts';
import type { PartReport } from '../../transfer/report.ts';
import { Interrupted } from '../../transfer/slices.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { createOut } from '../client/out.ts';
import { createProgress } from '../client/progress.ts';
import type { ServerCall } from '../commands/call.ts';
import { refuseServer } from '../jobs/in-server.ts';
import { copyInServer } from './copy-job.ts';
import { isSameFile, isServer, openSource, openTarget } from './ends.ts';
import { listen } from './signals.ts';
import { describe, toJson } from './text.ts';

/** `bakeserv copy FROM TO`. */
export async function run({ args }: ServerCall): Promise<number> {
  const [from, to] = [args.need('FROM'), args.need('TO')];
  if (args.has('users') && (isServer(from) || isServer(to)))
    throw new UsageError('--users: a running server gives nobody the tokens of its users; name its database instead');
  if (isSameFile(from, to)) throw new UsageError(`FROM and TO are the same file: ${from}`);
  if (args.has('background')) return copyInServer(from, to, args);
  refuseServer('copy', args);
  const source = await openSource(from, args, askedFor(args));
  try {
    const parts = wantedOf(source, args);
    const dryRun = args.has('dry-run');
    const services = new Set(parts.map((part) => PARTS[part].service));
    const target = await openTarget(to, args, { services, inUse: args.has('in-use'), dryRun });
    return await closing(target, () => copyAll(source, target, parts, args));
  } finally {
    await source.close();
  }
}

/** Closes it also after a failure, which is what is then reported. */
export async function closing<T>(target: Target, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await target.close().catch(() => {});
    throw error;
  }
  await target.close();
  return result;
}

function askedFor(args: Args): Set<ServiceName> {
  const [hashes, prs] = [args.has('hashes'), args.has('prs')];
  return new Set([...(hashes || !prs ? ['hashserv' as const] : []), ...(prs || !hashes ? ['prserv' as const] : [])]);
}

/** @throws ConfigError when there is nothing of what was asked for */
function wantedOf(source: Source, args: Args): Part[] {
  const asked = askedFor(args);
  const [hashes, prs] = [asked.has('hashserv'), asked.has('prserv')];
  const parts = partsToCopy(source, { hashes, prs, users: args.has('users') });
  const names = [...(hashes ? ['hash equivalence'] : []), ...(prs ? ['PR'] : [])].join(' or ');
  if (parts.length === 0) throw new ConfigError(`${source.name} has no ${names} tables`);
  return parts;
}

async function copyAll(source: Source, target: Target, parts: readonly Part[], args: Args): Promise<number> {
  const [dryRun, json] = [args.has('dry-run'), args.has('json')];
  const interrupt = listen(['SIGINT', 'SIGTERM']);
  const progress = await showProgress(source, parts, dryRun);
  const skipUnstorable = args.has('skip-unstorable');
  let reports: readonly PartReport[];
  try {
    const { signal } = interrupt;
    reports = await copy({ source, target, parts, dryRun, skipUnstorable, signal, onRows: progress.add });
  } catch (error) {
    progress.stop();
    const failure = explain(error, target.name, dryRun, progress.copied);
    if (!(failure instanceof Interrupted)) throw failure;
    process.stderr.write(`bakeserv: ${failure.message}\n`);
    return interrupt.status;
  } finally {
    progress.stop();
    interrupt.stop();
  }
  const out = createOut(json);
  const ends = { from: source.name, to: target.name, dryRun };
  await out.result(toJson(ends, reports), () => describe(ends, reports));
  return reports.some(({ differing }) => differing > 0) ? 1 : 0;
}

/** A failure half-way: what was copied is there, and is not copied again. */
function explain(error: unknown, target: string, dryRun: boolean, copied: number): unknown {
  if (dryRun) return error instanceof Interrupted ? new Interrupted('interrupted; nothing was written') : error;
  const on = `${copied} rows are in ${target}: the same command goes on from there`;
  if (error instanceof Interrupted) return new Interrupted(`interrupted; ${on}`);
  if (!(error instanceof StorageError) || copied === 0) return error;
  return new BakeservError(error.code, `${errorText(error)}; ${on}`, error);
}

/** One bar for what is copied, and one for the check. */
export async function showProgress(source: Source, parts: readonly Part[], dryRun: boolean) {
  let total = 0;
  // Only a bar needs it, and it takes a while.
  if (process.stderr.isTTY) for (const part of parts) total += await source.count(part);
  let phase: 'copy' | 'check' = 'copy';
  let bar = await createProgress(dryRun ? 'rows compared' : 'rows', total);
  let copied = 0;
  return {
    get copied() {
      return copied;
    },
    async add(now: 'copy' | 'check', rows: number) {
      if (now !== phase) {
        bar.stop();
        bar = await createProgress('rows checked', total);
      }
      phase = now;
      if (phase === 'copy') copied += rows;
      bar.add(rows);
    },
    stop: () => bar.stop(),
  };
}
