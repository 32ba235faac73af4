import { ALL_RIGHTS, type HeldRights, type Rights } from '../asyncrpc/rights.ts';
import type { Hub } from '../asyncrpc/server/hub.ts';
import { formatAddress } from '../asyncrpc/transport/address.ts';
import type { InheritedSocket } from '../asyncrpc/transport/inherited.ts';
import {
  type HandedListener,
  type Listener,
  type ListenOptions,
  listen,
  listenHanded,
  listenInherited,
} from '../asyncrpc/transport/listen.ts';
import { createProxies } from '../asyncrpc/transport/proxies.ts';
import { type ExpiryWatch, watchExpiry } from '../asyncrpc/transport/tls/expiry.ts';
import type { HttpDoor } from '../http/door.ts';
import { type Logger, limitRate } from '../log.ts';
import type { Config } from '../settings/config.ts';
import type { ListenerSpec } from '../settings/listener-spec.ts';
import { isReduced, type ListenerReport, reportOf, tellReport } from '../settings/rights.ts';
import type { Change, Follower } from './followers.ts';

/** A listener, and what its clients may do at the moment. */
export interface Door extends Listener {
  readonly report: ListenerReport;
}

/** The listeners of a server. */
export interface Doors extends Follower {
  readonly list: readonly Door[];
  /**
   * Gets each listener ready for the rights it has in new settings. Where clients may do less then, those who are connected
   * are let go once what was read from them is answered: they come back with what they may do.
   */
  prepare(config: Config): Change;
  close(): Promise<void>;
}

/** Listeners on which another process accepts the clients of this one. */
export interface HandedDoors {
  /** In the order of that process, each with its place among the listeners of the settings; null: none of them. */
  readonly list: readonly (HandedListener & { readonly bind: number | null })[];
  /** They were handed over to that process by a service manager. */
  readonly inherited: boolean;
  /** Whether it is for this process, of all, to warn of certificates that expire. */
  readonly warns: boolean;
}

/** An open listener as the settings know it. */
interface Standing extends HeldRights {
  /** Null: a socket that was handed over without a name that they know. */
  readonly spec: ListenerSpec | null;
  current: Rights;
}

/**
 * Listens on every address, or on the sockets that were handed over in their place, or takes the clients that another process accepts.
 * @param openHttp loads what serves HTTP; called once, and only for an HTTP listener
 * @throws AddressError, ConfigError after closing whatever was opened
 */
export async function openDoors(
  config: Config,
  hub: Hub,
  log: Logger,
  { inherited, handed }: { readonly inherited: readonly InheritedSocket[]; readonly handed: HandedDoors | null },
  openHttp: (listeners: () => readonly Door[]) => Promise<HttpDoor>,
): Promise<Doors> {
  // Otherwise a farm at the descriptor limit, or a web page that keeps trying, would cause a line for each connection.
  const clientLog = limitRate(log);
  const { limits, allowOrigins, trustProxy } = config;
  const proxies = createProxies(trustProxy);
  let settings = config;
  const standings: Standing[] = [];
  const list: Door[] = [];
  let opened: Promise<HttpDoor> | null = null;
  const http = () => {
    opened ??= openHttp(() => list);
    return opened;
  };
  let expiry: ExpiryWatch | null = null;
  const close = async () => {
    expiry?.close();
    (await opened)?.stop();
    await Promise.all(list.map((door) => door.close()));
  };
  const open = async (spec: ListenerSpec | null, start: (options: ListenOptions) => Promise<Listener>) => {
    // An object of its own: the hub knows the clients of a listener by it.
    const standing: Standing = { spec, current: { ...(spec?.rights ?? ALL_RIGHTS) } };
    const proxyProtocol = spec?.proxyProtocol ?? false;
    const common = { allowOrigins, http, rights: standing, proxies, proxyProtocol };
    const listener = await start({ ...common, ...(spec && { access: spec.access, tls: spec.tls }) });
    const { address, figures } = listener;
    standings.push(standing);
    hub.figures.listeners.set(formatAddress(address), figures);
    figures.certificate = listener.certificate ?? null;
    list.push({
      ...listener,
      get report() {
        return reportOf(settings, { address, rights: standing.current, proxyProtocol, tls: spec?.tls ?? null });
      },
    });
  };
  const byName = handed?.inherited ?? inherited.length > 0;
  try {
    for (const { bind, ...listener } of handed?.list ?? []) {
      const spec = bind === null ? null : config.binds[bind]!;
      await open(spec, (options) => listenHanded(listener, hub, limits, clientLog, options));
    }
    for (const { fd, spec } of bySpec(inherited, config.binds, log))
      await open(spec, (options) => listenInherited(fd, spec?.address, hub, limits, clientLog, options));
    for (const spec of byName || handed ? [] : config.binds)
      await open(spec, (options) => listen(spec.address, hub, limits, clientLog, options));
  } catch (error) {
    await close();
    throw error;
  }
  for (const { address, report } of list) log.info(`listening on ${formatAddress(address)}: ${tellReport(report)}`);
  const watched = (handed?.warns ?? true) ? list : [];
  expiry = watchExpiry(
    watched.flatMap(({ certificate }) => certificate ?? []),
    log,
  );
  return {
    list,
    close,
    prepare(now) {
      // The rest of the settings is that of the start.
      const next = { ...config, anonymousPermissions: now.anonymousPermissions };
      const left = [...now.binds];
      const later: string[] = [];
      const changes: (() => void)[] = [];
      const renewals: (() => void)[] = [];
      for (const [i, standing] of standings.entries()) {
        const spec = standing.spec && takeMatching(left, standing.spec, byName);
        if (standing.spec && !spec) later.push(`bind (${formatAddress(list[i]!.address)} is there no more)`);
        else if (spec && needsStart(standing.spec!, spec)) later.push(`bind (${formatAddress(spec.address)})`);
        const renewal = spec?.tls ? list[i]!.certificate?.prepare(spec.tls) : null;
        if (renewal) renewals.push(renewal);
        const past = standing.current;
        const rights = { ...(spec?.rights ?? past) };
        const [was, is] = [
          { ...settings, rights: past },
          { ...next, rights },
        ];
        if (!isOther(was, is)) continue;
        changes.push(() => {
          standing.current = rights;
          if (isReduced(was, is)) hub.letGo(past);
        });
      }
      if (!byName) for (const { address } of left) later.push(`bind (${formatAddress(address)} is new)`);
      const what = [
        ...(changes.length > 0 ? ['the rights of listeners'] : []),
        ...(renewals.length > 0 ? ['the certificates of listeners'] : []),
      ];
      return {
        what: what.join(', ') || null,
        later,
        apply() {
          settings = next;
          for (const change of [...changes, ...renewals]) change();
          if (renewals.length > 0) expiry?.look();
        },
      };
    },
  };
}

/** What a listener's clients may do, as far as settings can change it. */
type Effective = Pick<Config, 'anonymousPermissions'> & { readonly rights: Rights };

function isOther(a: Effective, b: Effective): boolean {
  const text = ({ anonymousPermissions, rights }: Effective) =>
    JSON.stringify({ ...rights, anonymous: rights.anonymous ?? anonymousPermissions });
  return text(a) !== text(b);
}

/** Each socket with the listener of its name, as far as there is one. */
export function bySpec(
  inherited: readonly InheritedSocket[],
  binds: readonly ListenerSpec[],
  log: Logger,
): { readonly fd: number; readonly spec: ListenerSpec | null }[] {
  if (inherited.length === 0) return [];
  // Where no listener has a name, that is how it is meant: systemd names sockets after their unit.
  const say = binds.some(({ name }) => name !== null) ? log.warn : log.info;
  const found = inherited.map(({ fd, name }) => {
    const spec = binds.find((bind) => bind.name !== null && bind.name === name) ?? null;
    if (!spec) {
      const which = name === null ? 'has no name' : `is named ${name}, as no listener in the settings is`;
      say(`the socket handed over as descriptor ${fd} ${which}: the general options hold for it`);
    }
    return { fd, spec };
  });
  for (const spec of binds)
    if (spec.name !== null && !found.some((each) => each.spec === spec))
      log.warn(`no socket named ${spec.name} was handed over: its listener is not opened`);
  return found;
}

/**
 * The listeners of a start with the certificates that later settings name for them: the files of the start may be gone.
 * @param byName as sockets that were handed over are known
 */
export function renewed(
  started: readonly ListenerSpec[],
  now: readonly ListenerSpec[],
  byName: boolean,
): readonly ListenerSpec[] {
  const left = [...now];
  return started.map((spec) => {
    const found = takeMatching(left, spec, byName);
    return found?.tls && !needsStart(spec, found) ? { ...spec, tls: found.tls } : spec;
  });
}

/** The listener among new settings that this one was, taken out of them. */
function takeMatching(left: ListenerSpec[], was: ListenerSpec, byName: boolean): ListenerSpec | null {
  const same = (spec: ListenerSpec) =>
    byName ? spec.name === was.name : formatAddress(spec.address) === formatAddress(was.address);
  const at = left.findIndex(same);
  return at < 0 ? null : left.splice(at, 1)[0]!;
}

/**
 * Whether something else than rights and certificates has changed: what is spoken there, who may use the socket file, or whether
 * clients need a certificate.
 */
function needsStart(was: ListenerSpec, now: ListenerSpec): boolean {
  const text = ({ address, name, access, proxyProtocol, tls }: ListenerSpec) =>
    JSON.stringify([formatAddress(address), name, access, proxyProtocol, (tls?.clientCaFile ?? null) === null]);
  return text(was) !== text(now);
}
