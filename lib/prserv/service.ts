import { Dispatcher } from '../asyncrpc/dispatch.ts';
import type { LoopGuard } from '../asyncrpc/loop-guard.ts';
import { createValidator } from '../asyncrpc/schema.ts';
import type { Peer, Service, Session } from '../asyncrpc/service.ts';
import type { WriteGate } from '../asyncrpc/write-gate.ts';
import { InvokeError } from '../errors.ts';
import { PR_COMMANDS, type PrContext } from './commands.ts';

/** What a client is told that may not remove rows. */
const NOT_HERE =
  'PR rows are removed from a local address only, or where --anon-perms gives @db-admin to clients without a login';

/**
 * The PR service: `PRSERVICE 1.0`. Open to every client; a session has no state, so all of one kind share one.
 * @param guard refuses servers that would have this one ask itself
 * @param gate the one of the store's database
 * @param administers whether a client may remove rows, by where it comes from
 */
export function createPrService(
  shared: Omit<PrContext, 'administrator'>,
  guard: LoopGuard,
  gate: WriteGate,
  administers: (peer: Peer) => boolean,
): Service {
  const dispatcher = new Dispatcher<PrContext>({
    rows: PR_COMMANDS,
    readOnly: shared.store.readOnly,
    ajv: createValidator(),
    gate,
    authorize: ({ administrator }) => (administrator ? null : new InvokeError(NOT_HERE)),
  });
  const sessionOf = (context: PrContext): Session => ({
    awaitsLogin: false,
    command: (name) => dispatcher.command(name),
    denies: (command) => dispatcher.denies(context, command),
    invoke: (command, args) => dispatcher.invoke(context, command, args),
    enterStream: (command) => dispatcher.enterStream(context, command),
    stream: (command, lines) => dispatcher.stream(context, command, lines),
    close() {},
  });
  const [ordinary, administrator] = [false, true].map((each) => sessionOf({ ...shared, administrator: each }));
  return {
    protocol: 'PRSERVICE',
    accepts: (major, minor) => major === 1 && minor === 0,
    open(peer, via) {
      guard.admit(via);
      return administers(peer) ? administrator! : ordinary!;
    },
    stopAsking: () => shared.upstream?.close(),
    close: async () => shared.upstream?.close(),
  };
}
