import { createDispatcher, requestFiguresOf } from '../asyncrpc/dispatch.ts';
import { DEFAULT_LIMITS } from '../asyncrpc/limits.ts';
import type { Access } from '../asyncrpc/rights.ts';
import type { Peer, Service } from '../asyncrpc/service.ts';
import { createSearches } from '../asyncrpc/shares/searches.ts';
import { Tally } from '../asyncrpc/tally.ts';
import type { LoopGuard } from '../asyncrpc/upstream/loop-guard.ts';
import { createValidator } from '../asyncrpc/wire/formats.ts';
import type { Json } from '../asyncrpc/wire/messages.ts';
import type { WriteGate } from '../asyncrpc/write-gate.ts';
import type { InsightDesk } from '../insights/desk.ts';
import { createLateDesk, DEFAULT_INSIGHT_LIMITS } from '../insights/late.ts';
import type { Jobs } from '../jobs/late.ts';
import type { Logger } from '../log.ts';
import { HashFigures } from '../meter/service-figures.ts';
import { note, noteRefusal } from './access/audit.ts';
import { createLoginThrottle, type LoginThrottle } from './access/login-throttle.ts';
import { USER_ADMIN } from './access/permissions.ts';
import { HashSession } from './access/session.ts';
import { createClock } from './clock.ts';
import { HASH_COMMANDS } from './commands/table.ts';
import type { HashContext, HashRow, LookupHistory } from './context.ts';
import { createGc } from './gc.ts';
import type { SharedStateMeans } from './jobs/shared-state-kind.ts';
import { RequestStats } from './stats.ts';
import type { HashStore } from './store.ts';
import { createBackfill } from './upstream/backfill.ts';
import type { HashUpstream } from './upstream/upstream.ts';

export interface HashServiceOptions {
  readonly store: HashStore;
  readonly log: Logger;
  readonly upstream: HashUpstream | null;
  /** Refuses servers that would make this one ask itself. */
  readonly guard: LoopGuard;
  /** That of the store's database. */
  readonly gate: WriteGate;
  /** What a client may do without a login, depending on where it connects from. */
  readonly anonymousPermissions: (peer: Peer) => readonly string[];
  /** Slows guessing down; with the default limits if absent. */
  readonly logins?: LoginThrottle;
  /** The jobs of the server, which get the kinds of this service; null or absent where there are none. */
  readonly jobs?: Jobs | null;
  /** Where insights are worked out, with its default limits if absent. */
  readonly insights?: InsightDesk;
  /** The name of the store's database, as no other has it. */
  readonly database?: string;
  /** Throws InvokeError for a file that a job must not touch; absent: all may be. */
  readonly requireFile?: (file: string) => void;
  /** What a job may compare unihashes with; null or absent: nothing. */
  readonly sharedState?: SharedStateMeans | null;
  /** What look-ups came to over time; null or absent where nobody records that. */
  readonly history?: LookupHistory | null;
}

/** The service, and what it counts. */
export interface HashService extends Service {
  readonly figures: HashFigures;
}

const PROTOCOL = 'OEHASHEQUIV';

/** The hash equivalence service: `OEHASHEQUIV 1.1`. */
export function createHashService(options: HashServiceOptions): HashService {
  const { store, log, upstream, guard, gate, anonymousPermissions } = options;
  const {
    logins = createLoginThrottle(DEFAULT_LIMITS),
    jobs = null,
    insights = createLateDesk(DEFAULT_INSIGHT_LIMITS),
    database = 'hashserv',
    requireFile = () => {},
    sharedState = null,
    history = null,
  } = options;
  const figures = new HashFigures(requestFiguresOf(HASH_COMMANDS));
  const stats = new RequestStats();
  const clock = createClock(store.newestCreated);
  const backfill = createBackfill(store, log, figures.backfill);
  const gc = createGc(store);
  const searches = createSearches();
  jobs?.register(async () =>
    (await import('./jobs/kinds.ts')).hashKinds({ store, gc, upstream, backfill, database, requireFile, sharedState }),
  );
  /** One for each list, of which there are few: a set for each client would be most of what its session takes. */
  const anonymousSets = new WeakMap<readonly string[], ReadonlySet<string>>();
  // While a report waits for the upstream, it must not keep others from writing.
  const report: HashRow = { ...HASH_COMMANDS.report!, gatesItself: true };
  const validator = createValidator();
  const dispatcherOf = (access: Access) =>
    createDispatcher<HashContext, HashRow>({
      rows: upstream ? { ...HASH_COMMANDS, report } : HASH_COMMANDS,
      access,
      validator,
      gate,
      authorize,
      stats,
      figures: figures.requests,
    });
  const dispatchers = {
    'read-write': dispatcherOf(store.readOnly ? 'read-only' : 'read-write'),
    'read-only': dispatcherOf('read-only'),
    none: dispatcherOf('none'),
  };
  function anonymousSet(permissions: readonly string[]): ReadonlySet<string> {
    let held = anonymousSets.get(permissions);
    if (!held) {
      held = new Set(permissions);
      anonymousSets.set(permissions, held);
    }
    return held;
  }

  /** Of every session: a function of its own for each would be one more for each connection. */
  const onUnknownUser = (session: HashSession, name: string) =>
    noteRefusal({ log, session }, `${session.peer.namedBy ?? 'the certificate'} names no user: anonymous rights`, {
      name,
    });
  return {
    protocol: PROTOCOL,
    figures,
    closesOnFault: true,
    // Above 1.0, up to 1.1 (docs/protocol.md).
    accepts: (major, minor) => major === 1 && minor === 1,
    open(peer, via) {
      guard.admit(via);
      const access = peer.rights?.access[PROTOCOL] ?? 'read-write';
      const readOnly = store.readOnly || access !== 'read-write';
      const imports: HashContext['imports'] = new Tally((counts) => note({ log, session }, 'rows imported', counts));
      const anonymous = anonymousSet(anonymousPermissions(peer));
      const session = new HashSession(peer, store, anonymous, () => imports.close(), onUnknownUser);
      // Written out: to spread an object of this size takes longer than all else here, and five times the memory.
      const own = {
        session,
        imports,
        readOnly,
        store,
        stats,
        figures,
        clock,
        gc,
        logins,
        log,
        upstream,
        backfill,
        gate,
        jobs,
        history,
        insights,
        searches,
      };
      return dispatchers[access](own, session);
    },
    stopAsking: () => upstream?.close(),
    async close(graceMs) {
      upstream?.close();
      await Promise.all([insights.close(), backfill.close(graceMs)]);
    },
  };
}

function authorize(
  context: HashContext,
  row: HashRow,
  args: readonly Json[],
  command: string,
  quietly: boolean,
): Error | null | Promise<Error | null> {
  const { session } = context;
  const verdict = () => {
    // User management is never open to anonymous users, whatever their permissions, which cannot include @user-admin.
    const self =
      row.orSelf === true && row.needs.includes(USER_ADMIN) && args.every((arg) => isSelf(arg, session.username));
    const refusal = session.check(row.needs, self);
    if (refusal && !quietly) noteRefusal(context, 'permission refused', { command, needs: row.needs.join(' ') });
    return refusal;
  };
  return session.isStale ? session.refresh().then(verdict) : verdict();
}

/** Whether the argument names the client itself, or nobody. */
function isSelf(arg: Json, username: string | null): boolean {
  if (username === null) return false;
  if (arg === null || typeof arg !== 'object' || Array.isArray(arg)) return true;
  return arg.username === undefined || arg.username === null || arg.username === username;
}
