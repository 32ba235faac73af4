import type { CommandRow } from '../asyncrpc/command-row.ts';
import { object } from '../asyncrpc/schemas.ts';
import { EncodedReply } from '../asyncrpc/service.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import type { InsightAsker, InsightDesk, InsightRun, InsightState } from './desk.ts';

export type { InsightRun };

/** What an insight answers; to it are added when it was made, and how long that took. */
export type InsightAnswer = { readonly [key: string]: Json };

/**
 * Works an insight out. Between two slices of reading it calls `run.step`, and in memory it has as much as its limits say,
 * whatever is in the database.
 * @typeParam Rows what it reads, on a connection of its own
 */
export type InsightWork<Rows, Args> = (rows: Rows, args: Args, run: InsightRun) => Promise<InsightAnswer>;

/** What an insight reads a database by: closed when it is done, or was ended. */
export interface InsightRows {
  close(): Promise<void>;
}

/** An insight of a service, as a command of its table is made of it. */
export interface Insight<Rows, Args> {
  /** As it is called on the command line and in paths of the API: the command is `insight-NAME`. */
  readonly name: string;
  /** By its name, the schema of each part of the argument. */
  readonly schema: { readonly [Name in keyof Args]: object };
  /** The parts that must be given. */
  readonly required?: readonly string[];
  /** What a part is that is not given. */
  readonly defaults: Args;
  /** Loaded for the first who asks: most servers are never asked. */
  load(): Promise<InsightWork<Rows, Args>>;
}

/** Who asks, and for what. */
export interface InsightAsk<Rows extends InsightRows> {
  readonly desk: InsightDesk;
  readonly asker: InsightAsker;
  /** What tells the answers of this service apart from those of another. */
  readonly service: string;
  /** @param signal aborted when nobody waits any more */
  open(signal: AbortSignal): Promise<Rows>;
}

/**
 * The command that an insight is (docs/insights.md), for the table of a service, which adds who may use it.
 * @param of what a client of the service asks with
 */
export function insightCommand<S, Rows extends InsightRows, Args extends { readonly [key: string]: Json }>(
  { name, schema, required = [], defaults, load }: Insight<Rows, Args>,
  of: (context: S) => InsightAsk<Rows>,
): Pick<CommandRow<S>, 'schema' | 'isLong' | 'untimed' | 'handle'> {
  return {
    schema: object(schema, required),
    isLong: () => true,
    // It waits for its turn.
    untimed: true,
    async handle(context, given: Partial<Args>) {
      const { desk, asker, service, open } = of(context);
      // Nothing else that a client sends, or it would never get an answer that is kept.
      const args = Object.fromEntries(
        Object.entries(defaults).map(([part, usual]) => [part, given[part] ?? usual]),
      ) as Args;
      const text = await desk.ask(asker, {
        name,
        key: `${service} ${name} ${JSON.stringify(args)}`,
        async work(run) {
          const work = await load();
          const rows = await open(run.signal);
          try {
            return await work(rows, args, run);
          } finally {
            await rows.close();
          }
        },
      });
      return new EncodedReply(text);
    },
  };
}

/** The answer of `insight-status`: what is worked out at the moment, and how far it has come, from 0 to 1. */
export function describeState({ running, waiting }: InsightState): Json {
  return { running: running && { name: running.name, share: running.share, seconds: running.seconds }, waiting };
}
