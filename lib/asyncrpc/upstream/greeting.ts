import { TELL_ERRORS } from '../faults.ts';
import { type Limits, MIB } from '../limits.ts';
import { VIA_HEADER } from '../wire/handshake.ts';
import { encodeJson, frameMessage } from '../wire/messages.ts';
import { createReplyReader, refusalIn } from '../wire/reply-reader.ts';
import { LastingRefusal } from './breaker.ts';
import type { LoopGuard } from './loop-guard.ts';

/** What a server sends its upstream at the start of each connection, and what comes back. */
export interface Greeting {
  /**
   * Handshake, login, and the stream command where there is one.
   * @param via the nonce of a server below, to show in place of a new one of our own
   */
  text(stream?: string, via?: string): string;
  /**
   * Takes the lines with which the upstream answers; true when the last has come. Null: none will come.
   * @throws LastingRefusal when the login is refused
   */
  reader(stream?: string): ((line: string) => boolean) | null;
}

export interface GreetingOptions {
  readonly protocol: string;
  readonly login: { readonly username: string; readonly token: string } | null;
  readonly guard: LoopGuard;
  readonly limits: Limits;
}

export function createGreeting({ protocol, login, guard, limits }: GreetingOptions): Greeting {
  return {
    text: (stream, via = guard.trace()) =>
      `${protocol}\nneeds-headers: false\n${TELL_ERRORS}${VIA_HEADER}: ${via}\n\n` +
      (login ? frameMessage(encodeJson({ auth: { username: login.username, token: login.token } }), true) : '') +
      (stream ? `${encodeJson({ [stream]: null })}\n` : ''),
    reader(stream) {
      if (!login && !stream) return null;
      const read = createReplyReader(MIB, limits);
      let expected = (login ? 1 : 0) + (stream ? 1 : 0);
      let loginDone = !login;
      return (line) => {
        const reply = read(line);
        if (reply === undefined) return false;
        const refusal = refusalIn(reply);
        if (refusal && !loginDone) throw new LastingRefusal(`the login is refused: ${refusal.message}`, refusal);
        if (refusal) throw refusal;
        loginDone = true;
        return --expected <= 0;
      };
    },
  };
}
