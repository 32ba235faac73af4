import { ProtocolError } from '../../errors.ts';
import { encodeJson, frameMessage, type Json } from '../wire/messages.ts';
import { refusalIn } from '../wire/reply-reader.ts';

/** Which of our own commands a server knows, found out once for each until it may be another server. */
export interface KnownCommands {
  /**
   * @param args of a request that is sent to find out
   * @param isAnswer recognizes the reply of a server that knows the command
   * @returns null when there is no telling: the server is away, or in trouble
   */
  knows(command: string, args: Json, isAnswer: (reply: Json) => boolean): Promise<boolean | null>;
  /** A connection has ended: the next server at that address may be another one. */
  forget(): void;
}

export interface KnownCommandsOptions {
  /** Sends requests to the server on a connection of their own; fewer replies if it closes that without a word. */
  readonly trial: (requests: readonly string[]) => Promise<readonly Json[]>;
  readonly onFailure: (why: Error) => void;
  /** Called with each command that the server does not know. */
  readonly onUnknown: (command: string) => void;
}

export const PING = '{"ping": {}}\n';
/** A stopping server closes its connections too: a command counts as unknown only when this happens again. */
const HANG_UPS = 2;

/**
 * BitBake's servers close the connection without a word on a command they do not know. That must not happen on a
 * connection that others share, so a command is tried on one of its own, behind a ping that shows the server alive.
 */
export function createKnownCommands({ trial, onFailure, onUnknown }: KnownCommandsOptions): KnownCommands {
  let known = new Map<string, boolean>();
  let asking = new Map<string, Promise<boolean | null>>();

  async function ask(request: string, isAnswer: (reply: Json) => boolean): Promise<boolean | null> {
    for (let hangUps = 0; hangUps < HANG_UPS; hangUps++) {
      const [pong, reply] = await trial([PING, request]);
      if (pong === undefined) throw new ProtocolError('the connection was closed');
      const refused = refusalIn(pong);
      if (refused) throw refused;
      if (reply === undefined) continue;
      const refusal = refusalIn(reply);
      if (!refusal) return isAnswer(reply);
      // Any other refusal comes from a server that knows the command and cannot answer now.
      return refusal.message.startsWith('Unknown command') ? false : null;
    }
    return false;
  }

  async function find(command: string, args: Json, isAnswer: (reply: Json) => boolean): Promise<boolean | null> {
    const into = known;
    try {
      const found = await ask(frameMessage(encodeJson({ [command]: args }), true), isAnswer);
      if (found === false) onUnknown(command);
      if (found !== null) into.set(command, found);
      return found;
    } catch (error) {
      onFailure(error as Error);
      return null;
    }
  }

  return {
    knows(command, args, isAnswer) {
      const found = known.get(command);
      if (found !== undefined) return Promise.resolve(found);
      let asked = asking.get(command);
      if (!asked) {
        const among = asking;
        asked = find(command, args, isAnswer).finally(() => among.delete(command));
        asking.set(command, asked);
      }
      return asked;
    },
    forget() {
      known = new Map();
      asking = new Map();
    },
  };
}
