import { type LineFigures, RESULTS } from '../../meter/request-figures.ts';
import type { MetricRow } from '../row.ts';
import { SERVICES } from '../sources.ts';

const COMMAND = 'a command of the service, or `unknown`';
/** Commands whose lines ask for what may be unknown here. */
const LOOK_UPS: readonly string[] = ['get-stream', 'exists-stream'];

/** Requests, streams and logins. */
export const REQUEST_ROWS: readonly MetricRow[] = [
  {
    name: 'bakeserv_requests_total',
    kind: 'counter',
    help: 'Requests that have their answer: refused means the client asked for what it may not have, or wrongly; failed is a fault of the server. A stream counts once, when it is entered. Requests in the plain form that name no command have the service none',
    labels: { service: [...SERVICES, 'none'], command: COMMAND, result: RESULTS },
    read({ services, hub }, put) {
      for (const { name, figures } of services) {
        for (const [command, counts] of figures.requests.commands)
          for (const result of RESULTS) put(counts[result], name, command, result);
        const { unknown } = figures.requests;
        put(unknown.refused, name, 'unknown', 'refused');
      }
      put(hub.figures.unknownRequests, 'none', 'unknown', 'refused');
    },
  },
  {
    name: 'bakeserv_request_duration_seconds',
    kind: 'histogram',
    help: 'From when a request is taken up until its answer is there; not of commands that wait on purpose (auth, backfill-wait). Requests that are handed over together count with the time of all',
    labels: { service: SERVICES, command: COMMAND, result: RESULTS },
    read({ services }, put) {
      for (const { name, figures } of services) {
        for (const [command, { seconds }] of figures.requests.commands) {
          for (const result of RESULTS) {
            const times = seconds[result];
            if (times) put(times, name, command, result);
          }
        }
      }
    },
  },
  {
    name: 'bakeserv_stream_lines_total',
    kind: 'counter',
    help: 'Lines of streams: of get-stream and exists-stream the hits and misses here, and the misses here that the upstream knew; of other streams those answered; of all those that failed for a fault of the server',
    labels: { service: SERVICES, command: COMMAND, result: ['hit', 'miss', 'upstream-hit', 'answered', 'failed'] },
    read({ services }, put) {
      for (const { name, figures } of services) {
        for (const [command, { lines }] of figures.requests.commands) {
          if (!lines) continue;
          for (const [result, count] of resultsOf(command, lines)) put(count, name, command, result);
        }
      }
    },
  },
  {
    name: 'bakeserv_stream_line_duration_seconds',
    kind: 'histogram',
    help: 'From when lines are taken up, as many as there are, until they are answered, counted for each line',
    labels: { service: SERVICES, command: COMMAND },
    read({ services }, put) {
      for (const { name, figures } of services)
        for (const [command, { lines }] of figures.requests.commands) if (lines) put(lines.seconds, name, command);
    },
  },
  {
    name: 'bakeserv_logins_total',
    kind: 'counter',
    help: 'Logins of clients, by result',
    labels: { service: SERVICES, result: ['ok', 'refused'] },
    read({ services }, put) {
      for (const { name, figures } of services) {
        put(figures.logins.ok, name, 'ok');
        put(figures.logins.refused, name, 'refused');
      }
    },
  },
  {
    name: 'bakeserv_logins_slowed_total',
    kind: 'counter',
    help: 'Logins that were checked in turn, because many of that user from that address had failed',
    labels: { service: SERVICES },
    read({ services }, put) {
      for (const { name, figures } of services) put(figures.logins.waited, name);
    },
  },
];

function resultsOf(command: string, lines: LineFigures): readonly (readonly [result: string, count: number])[] {
  const { hit, miss, upstreamHit, failed, seconds } = lines;
  if (!LOOK_UPS.includes(command)) {
    return [
      ['answered', seconds.count],
      ['failed', failed],
    ];
  }
  return [
    ['hit', hit],
    ['miss', miss],
    ['upstream-hit', upstreamHit],
    ['failed', failed],
  ];
}
