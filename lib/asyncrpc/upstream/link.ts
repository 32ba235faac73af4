import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { LookupFigures } from '../../meter/upstream-figures.ts';
import { KIB, type Limits } from '../limits.ts';
import { type Address, formatAddress } from '../transport/address.ts';
import { encodeJson, frameMessage, type Json } from '../wire/messages.ts';
import { createReplyReader, refusalIn } from '../wire/reply-reader.ts';
import { createBreaker, LastingRefusal } from './breaker.ts';
import { createGreeting, type UpstreamLogin } from './greeting.ts';
import { createKnownCommands, PING } from './known-commands.ts';
import { createLookupChannel, type LookupChannel } from './lookup-channel.ts';
import { LOOP, type LoopGuard } from './loop-guard.ts';
import { onlyKeys, type StreamLookup } from './stream-lookup.ts';
import { createTraces } from './traces.ts';
import { tryRequests } from './trial.ts';

export interface UpstreamLinkOptions {
  readonly address: Address;
  /** Opens a connection to it. */
  readonly dial: () => Promise<Duplex>;
  /** `OEHASHEQUIV 1.1` or `PRSERVICE 1.0`. */
  readonly protocol: string;
  readonly login: UpstreamLogin | null;
  /** Whose upstream it is, for log lines. */
  readonly service: string;
  /** A look-up without an answer after this long counts as a miss. */
  readonly timeoutMs: number;
  /** The same for patient requests. */
  readonly patientTimeoutMs: number;
  readonly guard: LoopGuard;
  /** Its replies must keep to the limits for a client's messages. */
  readonly limits: Limits;
  readonly log: Logger;
  /** Whether a reply says that the upstream does not know either; `null` says so where this is absent. */
  readonly isMiss?: (reply: Json) => boolean;
}

/** How an upstream is doing, as get-stats shows it. */
export interface UpstreamFigures {
  readonly address: string;
  readonly breaker: 'open' | 'closed';
  readonly asked: number;
  readonly unanswered: number;
  readonly wrong: number;
}

/**
 * Everything between a service and its upstream: one connection for each kind of stream look-up and one for messages,
 * however many clients there are. Nothing here rejects: whatever goes wrong is a missing answer (`null`).
 */
export interface UpstreamLink {
  readonly name: string;
  /**
   * A stream command, asked on a connection of its own. A line that is not just keys is not asked, whoever let it
   * through: a client's word must not be more than a look-up on a connection that all share.
   * @param isAnswer tells a believable answer; any other counts as none
   */
  stream(command: string, isAnswer: (line: string) => boolean): StreamLookup;
  /** The reply to each request, or null when there is none. */
  messages(requests: readonly LinkRequest[]): Promise<readonly (Reply | null)[]>;
  /**
   * The same for requests that are worth a longer wait, on a connection of its own: neither kind waits for the other.
   * An upstream that is only slow with look-ups is still waited for; one that is dead is not.
   */
  patiently(requests: readonly LinkRequest[]): Promise<readonly (Reply | null)[]>;
  /**
   * Whether the upstream knows a command that BitBake's servers do not; null when it does not say.
   * @param args of a request to find out with
   * @param isAnswer recognizes the reply of a server that knows it
   */
  knows(command: string, args: Json, isAnswer: (reply: Json) => boolean): Promise<boolean | null>;
  /** Counts and logs an answer that cannot be right. A connection that gives such answers may be out of step. */
  distrust(what: string): void;
  /** What look-ups came to. */
  readonly lookups: LookupFigures;
  /** The breaker is open: it is not asked. */
  readonly isAway: boolean;
  figures(): UpstreamFigures;
  /** From now on logs in like this, on new connections in place of those it has. Null: as nobody. */
  logInAs(login: UpstreamLogin | null): void;
  /** Closes the connections; everything that waits, and every later request, gets no answer. */
  close(): void;
}

export interface LinkRequest {
  readonly command: string;
  readonly args: Json;
}

/** A reply, wrapped so that the reply `null` differs from no reply. */
export interface Reply {
  readonly value: Json;
}

/** Together with the longest time between probes: an upstream that comes back is used again within 5 s. */
const PROBE_TIMEOUT_MS = 2500;
/** Time for a nonce to go round a loop. */
const LOOP_MS = 1000;
/** What can be an answer of get-stream or exists-stream, credible or not. */
const STREAM_ANSWER = /^(?:[0-9a-f]{0,256}|true|false)$/;

/** Takes the replies to messages. */
const readReplies = (limits: Limits) => () => {
  const read = createReplyReader(limits.maxMessageBytes, limits);
  return (line: string): Reply | undefined => {
    const value = read(line);
    return value === undefined ? undefined : { value };
  };
};

export function createUpstreamLink(options: UpstreamLinkOptions): UpstreamLink {
  const { address, dial, protocol, service, timeoutMs, patientTimeoutMs, guard, limits, log } = options;
  const { isMiss = (reply) => reply === null } = options;
  const lookups = new LookupFigures();
  const name = formatAddress(address);
  const streams: LookupChannel<string>[] = [];
  let asked = 0;
  let closed = false;
  let { login } = options;

  const stopped = new AbortController();
  const greeting = createGreeting({ protocol, login: () => login, guard, limits });
  const trial = (requests: readonly string[], withinMs = timeoutMs, via?: string) =>
    tryRequests({ dial, greeting, via, timeoutMs: withinMs, limits, signal: stopped.signal }, requests);
  /** How often a loop was proved. */
  let loops = 0;
  const traces = createTraces((via) => trial([PING], timeoutMs, via));
  guard.onForeign((via) => {
    if (!breaker.isOpen && !closed) traces.passOn(via);
  });
  guard.onLoop(() => {
    loops++;
    breaker.failed(new LastingRefusal(LOOP));
  });
  const commands = createKnownCommands({
    trial,
    onFailure: (why) => breaker.failed(why),
    onUnknown: (command) =>
      log.info('upstream is no bakeserv, or an older one', { service, upstream: name, lacks: command }),
  });
  const hasty = () => [...streams, messages];
  const channels = () => [...hasty(), patient];
  const breaker = createBreaker({
    name,
    service,
    log,
    probe: async () => {
      const before = loops;
      const [reply] = await trial([PING], Math.min(timeoutMs, PROBE_TIMEOUT_MS));
      // If there was a loop, the probe's nonce needs a moment to come back.
      if (loops > 0) await delay(LOOP_MS, undefined, { ref: false });
      if (loops > before) throw new LastingRefusal(LOOP);
      if (reply === undefined || refusalIn(reply)) throw new ProtocolError('no answer');
      for (const channel of channels()) channel.retryNow();
    },
    onOpen: () => {
      lookups.openings++;
      for (const channel of hasty()) channel.giveUp();
    },
    onDead: () => patient.giveUp(),
  });
  const common = {
    dial,
    timeoutMs,
    onSuccess: () => breaker.succeeded(),
    onFailure: (why: Error) => breaker.failed(why),
  };

  const messageChannel = {
    ...common,
    preface: () => greeting.text(),
    readPreface: () => greeting.reader(),
    readAnswer: readReplies(limits),
    maxLineBytes: limits.maxMessageBytes,
  };
  const messages = createLookupChannel<Reply>({
    ...messageChannel,
    dial: async () => {
      const stream = await dial();
      stream.once('close', () => commands.forget());
      return stream;
    },
  });
  const patient = createLookupChannel<Reply>({ ...messageChannel, timeoutMs: patientTimeoutMs });

  function openStream(command: string, isAnswer: (line: string) => boolean): LookupChannel<string> {
    const channel = createLookupChannel<string>({
      ...common,
      preface: () => greeting.text(command),
      readPreface: () => greeting.reader(command),
      readAnswer: () => (line) => {
        if (isAnswer(line)) return line;
        distrust(`${command}: ${line.slice(0, 80)}`);
        if (STREAM_ANSWER.test(line)) return null;
        // A stream's answers do not say what they answer: after a line that is not one, none can be trusted.
        throw new ProtocolError(`${command} is answered with something else`);
      },
      maxLineBytes: 64 * KIB,
    });
    streams.push(channel);
    return channel;
  }

  function distrust(what: string): void {
    lookups.wrong++;
    log.warn('upstream gave an answer that cannot be right: taken as a miss', { service, upstream: name, what });
  }

  const isStreamMiss = (answer: string) => answer === '' || answer === 'false';

  function stream(command: string, isAnswer: (line: string) => boolean): StreamLookup {
    const channel = openStream(command, isAnswer);
    const ask: StreamLookup = async (lines, onAnswer) => {
      asked += lines.length;
      if (breaker.isOpen || closed) {
        lookups.notAsked += lines.length;
        return lines.map(() => null);
      }
      const began = performance.now();
      const answers = await channel.ask(
        lines.map((line) => `${line}\n`),
        onAnswer,
      );
      lookups.note(answers, isStreamMiss, performance.now() - began);
      return answers;
    };
    return onlyKeys(ask);
  }

  async function askOn(channel: LookupChannel<Reply>, requests: readonly LinkRequest[], isAway: boolean) {
    asked += requests.length;
    if (isAway || closed) {
      lookups.notAsked += requests.length;
      return requests.map(() => null);
    }
    const began = performance.now();
    const said = await channel.ask(
      requests.map(({ command, args }) => frameMessage(encodeJson({ [command]: args }), true)),
    );
    const replies = said.map((reply, i) => {
      const refusal = reply && refusalIn(reply.value);
      if (!refusal) return reply;
      distrust(`${requests[i]!.command}: ${refusal.message}`);
      return null;
    });
    lookups.note(replies, ({ value }) => isMiss(value), performance.now() - began);
    return replies;
  }

  return {
    name,
    stream,
    messages: (requests) => askOn(messages, requests, breaker.isOpen),
    patiently: (requests) => askOn(patient, requests, breaker.isDead),
    async knows(command, args, isAnswer) {
      return breaker.isOpen || closed ? null : commands.knows(command, args, isAnswer);
    },
    distrust(what) {
      distrust(what);
      messages.reconnect();
      patient.reconnect();
    },
    lookups,
    get isAway() {
      return breaker.isOpen;
    },
    figures: () => ({
      address: name,
      breaker: breaker.isOpen ? 'open' : 'closed',
      asked,
      unanswered: lookups.unanswered + lookups.notAsked,
      wrong: lookups.wrong,
    }),
    logInAs(now) {
      login = now;
      // The upstream may know other commands from this user.
      commands.forget();
      for (const channel of channels()) {
        channel.reconnect();
        channel.retryNow();
      }
      breaker.retryNow();
    },
    close() {
      closed = true;
      stopped.abort();
      traces.close();
      breaker.close();
      for (const channel of channels()) channel.close();
    },
  };
}
