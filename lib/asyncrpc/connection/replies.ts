import { InvokeError } from '../../errors.ts';
import { invokeError, isFault } from '../faults.ts';
import { EncodedReply, type Outcome, StreamedReply } from '../service.ts';
import { encodeJson, encodePieces, frameMessage, frameStreamed, isLong, lengthOf } from '../wire/messages.ts';

/** What is written to answer requests. */
export interface Framed {
  /** The text, or its pieces if it is too long to be encoded, or held, as a whole. */
  readonly written: string | AsyncIterable<string>;
  /** At least this many bytes are held for the pieces until they are written. */
  readonly bytes: number;
  /** A fault of which the client is not told: once this is written, its connection is closed. */
  readonly fault: Error | null;
}

/** Turns outcomes into the messages that one client is sent. */
export class Replies {
  /** The client is told of our own faults; otherwise they close its connection. */
  told = true;
  private readonly chunked: boolean;
  private readonly onFailure: (error: Error) => void;

  /**
   * @param chunked whether long messages are sent in chunks
   * @param onFailure told of faults that are answered
   */
  constructor(chunked: boolean, onFailure: (error: Error) => void) {
    this.chunked = chunked;
    this.onFailure = onFailure;
  }

  /** Whether an outcome is a fault of which this client is not told. */
  hides(outcome: unknown): outcome is Error {
    return !this.told && outcome instanceof Error && isFault(outcome);
  }

  frame(outcomes: readonly Outcome[]): Framed {
    let text = '';
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i]!;
      if (this.hides(outcome)) return { written: text, bytes: 0, fault: outcome };
      const encoded = this.encode(outcome);
      if (typeof encoded !== 'string') {
        const rest = outcomes.slice(i);
        let bytes = 0;
        for (const each of rest) bytes += bytesOf(each);
        return { written: this.pieces(text, rest), bytes, fault: null };
      }
      text += frameMessage(encoded, this.chunked);
    }
    return { written: text, bytes: 0, fault: null };
  }

  private async *pieces(before: string, outcomes: readonly Outcome[]): AsyncGenerator<string> {
    if (before !== '') yield before;
    for (const outcome of outcomes) {
      if (this.hides(outcome)) throw outcome;
      const encoded = this.encode(outcome);
      if (typeof encoded === 'string') yield frameMessage(encoded, this.chunked);
      else yield* frameStreamed(encoded, this.chunked);
    }
  }

  /** As JSON: the text, or its pieces if it is long. */
  private encode(outcome: Outcome): string | AsyncIterable<string> | Iterable<string> {
    if (outcome instanceof EncodedReply) return outcome.text;
    if (outcome instanceof StreamedReply) return outcome.pieces;
    if (!(outcome instanceof Error)) return isLong(outcome) ? encodePieces(outcome) : encodeJson(outcome);
    if (!(outcome instanceof InvokeError)) this.onFailure(outcome);
    return invokeError(outcome);
  }
}

function bytesOf(outcome: Outcome): number {
  if (outcome instanceof EncodedReply) return outcome.text.length;
  return outcome instanceof StreamedReply || outcome instanceof Error ? 0 : lengthOf(outcome);
}
