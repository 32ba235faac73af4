import { BakeservError, InvokeError, LoopError, ProtocolError, StorageError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { encodeJson } from './wire/messages.ts';

/**
 * What a client sees of an error (docs/protocol.md). A refusal is the client's own doing and is always answered. A
 * fault is ours: a client of a service that closes on faults loses its connection, unless it asked to be told. BitBake's
 * hash client takes a lost connection as "go on without equivalence", and an invoke-error as the end of the build.
 */

/** The header with which a client asks to be told of faults. */
export const ERRORS_HEADER = 'bakeserv-errors';
/** Its value, and the whole line as our own clients and links send it. */
export const TELL = 'tell';
export const TELL_ERRORS = `${ERRORS_HEADER}: ${TELL}\n`;

/** Whether an error is the server's own: a store that fails, or anything unforeseen. */
export function isFault(error: unknown): boolean {
  return !(error instanceof InvokeError || error instanceof ProtocolError);
}

/** Logs what has ended a connection: a fault in full, in these words, and what the client did briefly. */
export function logFailure(log: Logger, peer: string, error: Error, what: string): void {
  if (error instanceof LoopError) log.debug('loop refused', { peer });
  else if (error instanceof ProtocolError) log.warn('bad input: closed', { peer, reason: error.message.slice(0, 200) });
  else if (isFault(error)) log.error(what, { peer, error });
}

/** The error text a client sees: ours as written; without details for a failed database and anything unforeseen. */
export function clientMessage(error: unknown): string {
  if (error instanceof StorageError) return error.clientText;
  return error instanceof BakeservError ? error.message : 'Internal error; the server log has the details';
}

/** An error as the JSON text of an answer. */
export function invokeError(error: unknown): string {
  return encodeJson({ 'invoke-error': { message: clientMessage(error) } });
}

/** The refusal of a command that no service here has, or not the one that was asked. */
export function unknownCommand(name: string): InvokeError {
  return new InvokeError(`Unknown command ${JSON.stringify(name.slice(0, 64))}`);
}
