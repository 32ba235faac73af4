import type http from 'node:http';
import { sendJson, sendProblem } from './problem.ts';
import type { Readiness, ReadyReport } from './readiness.ts';

/** Where the process says that it answers, and where it says whether it can do its work. */
const PATHS = ['/healthz', '/readyz'];

/**
 * Answers a question about the server's health; false if the request is about something else. Anybody may ask, nothing
 * is logged, and nothing is loaded or looked up that could take long.
 */
export function answerHealth(
  path: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  readiness: Readiness,
): boolean {
  if (!PATHS.includes(path)) return false;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendProblem(response, 'method-not-allowed', `${path} is read with GET or HEAD.`, { allow: 'GET, HEAD' });
  } else if (path === '/healthz') sendJson(response, 200, { status: 'ok' });
  else void readiness.report().then((report) => sendReport(response, report));
  return true;
}

function sendReport(response: http.ServerResponse, report: ReadyReport): void {
  if (report.status === 'ready') sendJson(response, 200, report);
  else sendJson(response, 503, report, { 'retry-after': '1' });
}
