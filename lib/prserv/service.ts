import type { CommandRow } from '../asyncrpc/command-row.ts';
import { createDispatcher, type Dispatcher, requestFiguresOf } from '../asyncrpc/dispatch.ts';
import type { Logins } from '../asyncrpc/logins.ts';
import type { Access } from '../asyncrpc/rights.ts';
import type { Peer, Service } from '../asyncrpc/service.ts';
import { createSearches } from '../asyncrpc/shares/searches.ts';
import { Tally } from '../asyncrpc/tally.ts';
import type { LoopGuard } from '../asyncrpc/upstream/loop-guard.ts';
import { createValidator } from '../asyncrpc/wire/formats.ts';
import type { WriteGate } from '../asyncrpc/write-gate.ts';
import { InvokeError, ProtocolError } from '../errors.ts';
import type { InsightDesk } from '../insights/desk.ts';
import { createLateDesk, DEFAULT_INSIGHT_LIMITS } from '../insights/late.ts';
import type { Jobs } from '../jobs/late.ts';
import type { Logger } from '../log.ts';
import { ServiceFigures } from '../meter/service-figures.ts';
import { note, noteRefusal } from './audit.ts';
import { PR_COMMANDS } from './commands/table.ts';
import type { PrContext } from './context.ts';
import { createDailyNote } from './daily-note.ts';
import type { PrStore } from './store.ts';
import type { PrUpstream } from './upstream/upstream.ts';

/** The refusal for a client that may not remove rows, nor start jobs that do. */
const notHere = (command: string) =>
  `PR rows are ${command === 'remove' ? 'removed' : 'worked on by jobs'} from a local address only, or where --anon-perms gives @db-admin to clients without a login`;

export interface PrServiceOptions {
  readonly store: PrStore;
  readonly log: Logger;
  readonly upstream: PrUpstream | null;
  /** Refuses servers that would make this one ask itself. */
  readonly guard: LoopGuard;
  /** That of the store's database. */
  readonly gate: WriteGate;
  /** The mode for requests that give none. */
  readonly defaultHistory: boolean;
  /** Whether a client may remove rows, depending on where it connects from. */
  readonly mayRemove: (peer: Peer) => boolean;
  /** The users for listeners that ask for a login; null or absent where there are none. */
  readonly logins?: Logins | null;
  /** The jobs of the server, which get the kinds of this service; null or absent where there are none. */
  readonly jobs?: Jobs | null;
  /** Where insights are worked out, with its default limits if absent. */
  readonly insights?: InsightDesk;
  /** The name of the store's database, as no other has it. */
  readonly database?: string;
  /** Throws InvokeError for a file that a job must not touch; absent: all may be. */
  readonly requireFile?: (file: string) => void;
}

/** The service, and what it counts. */
export interface PrService extends Service {
  readonly figures: ServiceFigures;
}

const PROTOCOL = 'PRSERVICE';

/** The PR service: `PRSERVICE 1.0`. Open to every client, except on listeners that ask for a login. */
export function createPrService(options: PrServiceOptions): PrService {
  const { store, log, upstream, guard, gate, defaultHistory, mayRemove, logins } = options;
  const { jobs = null, insights = createLateDesk(DEFAULT_INSIGHT_LIMITS) } = options;
  const { database = 'prserv', requireFile = () => {} } = options;
  jobs?.register(async () => (await import('./jobs/kinds.ts')).prKinds({ store, database, requireFile }));
  const validator = createValidator();
  const searches = createSearches();
  const figures = new ServiceFigures(requestFiguresOf(PR_COMMANDS));
  const daily = createDailyNote(store, log);
  const dispatcherOf = (access: Access) =>
    createDispatcher<PrContext>({
      rows: rowsForAll,
      access,
      validator,
      gate,
      figures: figures.requests,
      authorize(context, _row, _args, command, quietly) {
        if (mayRemove(context.peer)) return null;
        if (!quietly) noteRefusal(context, 'permission refused', { command, needs: 'a local address' });
        return new InvokeError(notHere(command), undefined, 'denied');
      },
    });
  const { auth: _, ...rowsForAll } = PR_COMMANDS;
  const byAccess = (of: (access: Access) => Dispatcher<PrContext>) => ({
    'read-write': of(store.readOnly ? 'read-only' : 'read-write'),
    'read-only': of('read-only'),
    none: of('none'),
  });
  const forAll = byAccess(dispatcherOf);
  const forUsers = byAccess((access) =>
    createDispatcher<PrContext>({
      rows: rowsForUsers(access),
      access,
      validator,
      gate,
      figures: figures.requests,
      authorize: ({ login }, { needs }, _args, command, quietly) => login!.refuses(needs, command, quietly),
    }),
  );
  return {
    protocol: PROTOCOL,
    figures,
    accepts: (major, minor) => major === 1 && minor === 0,
    open(peer, via) {
      guard.admit(via);
      daily.client();
      const access = peer.rights?.access[PROTOCOL] ?? 'read-write';
      const readOnly = store.readOnly || access !== 'read-write';
      const imports: PrContext['imports'] = new Tally((counts) =>
        note({ log, peer, login }, 'PR rows imported', counts),
      );
      const asker = { gone: false, address: peer.address };
      const leave = () => {
        asker.gone = true;
        imports.close();
      };
      const asked = peer.rights?.logins?.includes(PROTOCOL) === true;
      if (asked && !logins) throw new ProtocolError('this listener asks for a login, and the server has no users');
      const login = asked ? logins!.open(peer, figures.logins, leave) : null;
      const context = {
        store,
        readOnly,
        defaultHistory,
        upstream,
        log,
        peer,
        login,
        imports,
        jobs,
        insights,
        asker,
        searches,
      };
      if (login) return forUsers[access](context, login);
      return forAll[access](context, { awaitsLogin: false, isStale: false, close: leave });
    },
    stopAsking: () => upstream?.close(),
    async close() {
      daily.close();
      upstream?.close();
      await insights.close();
    },
  };
}

/** The table as it is for users: each row needs the permissions that it has for them. */
function rowsForUsers(access: Access): Readonly<Record<string, CommandRow<PrContext>>> {
  const rows = Object.entries(PR_COMMANDS).map(([name, row]) => {
    const needs = access === 'read-write' ? [...row.users, ...(row.usersToWrite ?? [])] : row.users;
    return [name, { ...row, needs }] as const;
  });
  return Object.fromEntries(rows);
}
