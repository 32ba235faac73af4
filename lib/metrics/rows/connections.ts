import { type ListenerFigures, REJECTIONS } from '../../asyncrpc/hub-figures.ts';
import type { Limits } from '../../asyncrpc/limits.ts';
import { LIMIT_OPTIONS } from '../../settings/options.ts';
import type { MetricRow } from '../row.ts';
import type { MetricSources } from '../sources.ts';

const LISTENER = 'an address of the server, or `other` for clients that a program handed over';

/** Limits that turn clients away. */
const PLACES = ['maxConnections', 'maxConnectionsPerAddress', 'maxHandshakes', 'maxHandshakesPerAddress'] as const;

/** How long something is done, and nothing that a client can meet by itself. */
const NEVER_MET: readonly (keyof Limits)[] = ['loginCautionMs'];

/** Every limit that can be met, with the name of its option. */
export const COUNTED_LIMITS: readonly (readonly [limit: keyof Limits, option: string])[] = LIMIT_OPTIONS.flatMap(
  ({ name, limit }) => (limit && !NEVER_MET.includes(limit) ? [[limit, name] as const] : []),
);

const optionOf = (limit: keyof Limits) => COUNTED_LIMITS.find(([counted]) => counted === limit)![1];

/** Connections and what they may not do. */
export const CONNECTION_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_connections',
    kind: 'gauge',
    joins: 'sum',
    help: 'Clients connected now',
    labels: { listener: LISTENER },
    read: (from, put) => eachListener(from, ({ open }, name) => put(open, name)),
  },
  {
    name: 'bakeserv_connections_accepted_total',
    kind: 'counter',
    help: 'Clients that were let in',
    labels: { listener: LISTENER },
    read: (from, put) => eachListener(from, ({ accepted }, name) => put(accepted, name)),
  },
  {
    name: 'bakeserv_received_bytes_total',
    kind: 'counter',
    help: 'Bytes of the protocol from clients, without what TLS and WebSocket add',
    labels: { listener: LISTENER },
    read: (from, put) => eachListener(from, ({ receivedBytes }, name) => put(receivedBytes, name)),
  },
  {
    name: 'bakeserv_sent_bytes_total',
    kind: 'counter',
    help: 'Bytes of the protocol to clients, without what TLS and WebSocket add',
    labels: { listener: LISTENER },
    read: (from, put) => eachListener(from, ({ sentBytes }, name) => put(sentBytes, name)),
  },
  {
    name: 'bakeserv_certificate_expiry_timestamp_seconds',
    kind: 'gauge',
    joins: 'min',
    help: 'When the certificate of a listener expires, in seconds since 1970',
    labels: { listener: LISTENER },
    read: (from, put) =>
      eachListener(from, ({ certificate }, name) => {
        if (certificate) put(certificate.expires.getTime() / 1000, name);
      }),
  },
  {
    name: 'bakeserv_connections_rejected_total',
    kind: 'counter',
    help: 'Clients that were turned away before they were served: for want of a place, or because the oldest of too many handshakes are closed; protocol: they spoke another one; loop: an upstream that would ask itself; origin: a web page that is not allowed; transport: what comes before the protocol was wrong, such as the header of a proxy',
    labels: { reason: [...PLACES.map(optionOf), ...REJECTIONS] },
    read({ hub }, put) {
      const { hits, rejected } = hub.figures;
      for (const limit of PLACES) put(hits[limit], optionOf(limit));
      for (const reason of REJECTIONS) put(rejected[reason], reason);
    },
  },
  {
    name: 'bakeserv_limit_hits_total',
    kind: 'counter',
    help: 'How often a limit was met, by the name of its option: a client was refused, closed, slowed down, or not read for a while',
    labels: { limit: COUNTED_LIMITS.map(([, option]) => option) },
    read({ hub }, put) {
      for (const [limit, option] of COUNTED_LIMITS) put(hub.figures.hits[limit], option);
    },
  },
  {
    name: 'bakeserv_held_bytes',
    kind: 'gauge',
    joins: 'sum',
    help: 'Bytes of requests and answers held for all clients',
    labels: {},
    read: ({ hub }, put) => put(hub.heldBytes),
  },
];

function eachListener({ hub }: MetricSources, use: (figures: ListenerFigures, name: string) => void): void {
  const { listeners, others } = hub.figures;
  for (const [name, figures] of listeners) use(figures, name);
  if (others.accepted > 0) use(others, 'other');
}
