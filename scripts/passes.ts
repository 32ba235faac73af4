/**
 * What a warm request passes in a built checkout: `passes.ts ROOT` prints a JSON list of Passed. Counted with V8's
 * precise coverage, taken right before and right after a request. Several are measured and the smallest counts: timers and
 * checkpoints of the server run in between, and can only add to what a request passes.
 */
import fs from 'node:fs';
import { Session } from 'node:inspector/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Passed, smallestOf } from './passed.ts';

/** How often each request is sent warm. */
const TIMES = 20;
/** Timers that the first ones start (checkpoints, file watches) would count as part of those after them. */
const WARM_UP = 2;

const root = path.resolve(process.argv[2]!);
const { resolveConfig, startServer } = await import(pathToFileURL(path.join(root, 'dist/lib/index.js')).href);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-passes-'));
const silent = { error() {}, warn() {}, info() {}, debug() {} };
const server = await startServer(
  resolveConfig(
    { bind: [`unix://${folder}/s`], 'hashserv-db': `${folder}/hash.db`, 'prserv-db': `${folder}/pr.sqlite3` },
    {},
  ),
  silent,
);
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

const hash = (n: number) => n.toString(16).padStart(64, '0');
const report = (n: number) =>
  `${JSON.stringify({ report: { method: 'm', taskhash: hash(n), outhash: hash(n), unihash: hash(n) } })}\n`;
const getPr = (n: number) =>
  `${JSON.stringify({ 'get-pr': { version: 'a-1-r0', pkgarch: 'x', checksum: hash(n), history: false } })}\n`;

const passed: Passed[] = [];
for (const [request, protocol, before, send] of [
  ['report', 'OEHASHEQUIV 1.1', '', report],
  ['get-pr', 'PRSERVICE 1.0', '', getPr],
  ['stream miss', 'OEHASHEQUIV 1.1', '{"get-stream": null}\n', (n: number) => `m ${hash(1000 + n)}\n`],
] as const) {
  const socket = net.connect(path.join(folder, 's'));
  const answered = () => new Promise<void>((resolve) => void socket.once('data', () => resolve()));
  socket.write(`${protocol}\n\n${before}`);
  if (before) await answered();
  const measured: Omit<Passed, 'request'>[] = [];
  for (let n = 1; n <= WARM_UP + TIMES; n++) {
    await session.post('Profiler.takePreciseCoverage');
    socket.write(send(n));
    await answered();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    if (n > WARM_UP) measured.push(count(result));
  }
  passed.push({ request, ...smallestOf(measured) });
  socket.destroy();
}
await server.close();
fs.rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify(passed));

/** Functions that ran, and the files they are in; a module's own body does not count. */
function count(
  result: readonly {
    url: string;
    functions: readonly { functionName: string; ranges: readonly { count: number }[] }[];
  }[],
) {
  const library = `${pathToFileURL(path.join(root, 'dist/lib')).href}/`;
  let files = 0;
  let functions = 0;
  for (const script of result) {
    if (!script.url.startsWith(library)) continue;
    const ran = script.functions.filter((each) => each.ranges[0]!.count > 0 && each.functionName !== '');
    if (ran.length > 0) files++;
    functions += script.functions.filter((each) => each.ranges[0]!.count > 0).length;
  }
  return { files, functions };
}
