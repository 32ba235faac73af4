import { Dispatcher } from '../asyncrpc/dispatch.ts';
import type { LoopGuard } from '../asyncrpc/loop-guard.ts';
import { createValidator } from '../asyncrpc/schema.ts';
import type { Service, Session } from '../asyncrpc/service.ts';
import type { WriteGate } from '../asyncrpc/write-gate.ts';
import { PR_COMMANDS, type PrContext } from './commands.ts';

/**
 * The PR service: `PRSERVICE 1.0`. Open to every client; all share one session, which has no state.
 * @param guard refuses servers that would have this one ask itself
 * @param gate the one of the store's database
 */
export function createPrService(context: PrContext, guard: LoopGuard, gate: WriteGate): Service {
  const dispatcher = new Dispatcher<PrContext>({
    rows: PR_COMMANDS,
    readOnly: context.store.readOnly,
    ajv: createValidator(),
    gate,
  });
  const session: Session = {
    awaitsLogin: false,
    command: (name) => dispatcher.command(name),
    invoke: (command, args) => dispatcher.invoke(context, command, args),
    enterStream: (command) => dispatcher.enterStream(context, command),
    stream: (command, lines) => dispatcher.stream(context, command, lines),
    close() {},
  };
  return {
    protocol: 'PRSERVICE',
    accepts: (major, minor) => major === 1 && minor === 0,
    open(_peer, via) {
      guard.admit(via);
      return session;
    },
    stopAsking: () => context.upstream?.close(),
    close: async () => context.upstream?.close(),
  };
}
