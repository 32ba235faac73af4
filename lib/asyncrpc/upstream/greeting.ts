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
   * Made together with `text`, for the same login.
   * Takes the lines with which the upstream answers; true when the last has come. Null: none will come.
   * @throws LastingRefusal when the login is refused
   */
  reader(stream?: string): ((line: string) => boolean) | null;
}

export interface UpstreamLogin {
  readonly username: string;
  readonly token: string;
}

export interface GreetingOptions {
  readonly protocol: string;
  /** Who to log in as at the moment, or null. */
  readonly login: () => UpstreamLogin | null;
  readonly guard: LoopGuard;
  readonly limits: Limits;
}

export function createGreeting({ protocol, login, guard, limits }: GreetingOptions): Greeting {
  return {
    text(stream, via = guard.trace()) {
      const user = login();
      return (
        `${protocol}\nneeds-headers: false\n${TELL_ERRORS}${VIA_HEADER}: ${via}\n\n` +
        (user ? frameMessage(encodeJson({ auth: { username: user.username, token: user.token } }), true) : '') +
        (stream ? `${encodeJson({ [stream]: null })}\n` : '')
      );
    },
    reader(stream) {
      let loginDone = login() === null;
      if (loginDone && !stream) return null;
      const read = createReplyReader(MIB, limits);
      let expected = (loginDone ? 0 : 1) + (stream ? 1 : 0);
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
