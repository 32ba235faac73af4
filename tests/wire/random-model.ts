import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SILENT } from '../../lib/log.ts';
import { createApp } from '../../lib/server.ts';
import { configIn, type Transport, temporaryFolder, WireClient } from './helpers.ts';
import { type Expected, SequentialModel } from './model.ts';

/** Clients at a time. */
export const CONNECTIONS = 12;
const ROUNDS = 30;
const REQUESTS = 24;

/** Repeatable random numbers: a failure names its seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** Few keys, so that requests meet. Unihashes are a method's own: a where by unihash then concerns one model. */
export const taskhash = (n: number) => hash(`task ${n}`);
export const outhash = (n: number) => hash(`out ${n}`);
export const unihash = (method: string, n: number) => hash(`${method} ${n}`);

function randomRequest(model: SequentialModel, random: (below: number) => number, marking: boolean): Expected {
  const task = taskhash(random(12));
  const own = unihash(model.method, random(8));
  switch (random(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return model.report(task, outhash(random(6)), own, marking);
    case 4:
      return model.reportEquivalent(task, own, marking);
    case 5:
      return model.removeTask(task);
    case 6:
      return random(3) === 0 ? model.removeUnihash(own, true) : model.getOuthash(outhash(random(6)), random(2) === 0);
    default:
      return model.get(task);
  }
}

/** Of a row, the columns the model knows. */
function comparable(answer: Json, expected: Json): Json {
  if (answer === null || expected === null || typeof answer !== 'object' || typeof expected !== 'object') return answer;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, (answer as Record<string, Json>)[key]!]));
}

/** Sends requests without waiting, cut at random places, then a stream over every task; compares every answer. */
async function playRound(
  client: WireClient,
  model: SequentialModel,
  random: (below: number) => number,
  marking: boolean,
  where: string,
) {
  const expected = Array.from({ length: REQUESTS }, () => randomRequest(model, random, marking));
  const tasks = Array.from({ length: 12 }, (_, n) => taskhash(n));
  const messages = expected.map(({ command, args }) => `${JSON.stringify({ [command]: args })}\n`);
  const stream = ['{"get-stream": null}', ...tasks.map((task) => `${model.method} ${task}`), 'END', ''].join('\n');
  const text = messages.join('') + stream;
  for (let at = 0; at < text.length; ) {
    const piece = 1 + random(900);
    client.send(text.slice(at, at + piece));
    at += piece;
  }
  for (const [n, { command, args, answer }] of expected.entries()) {
    const got = await client.message();
    assert.deepEqual(comparable(got, answer), answer, `${where}, request ${n}: ${JSON.stringify({ [command]: args })}`);
  }
  assert.equal(await client.message(), 'ok');
  for (const task of tasks) assert.equal(await client.line(), model.unihashes.get(task) ?? '', `${where}, stream`);
  assert.equal(await client.line(), 'ok');
}

async function collectGarbage(
  client: WireClient,
  models: readonly SequentialModel[],
  random: (below: number) => number,
  mark: string,
) {
  const keep = models.flatMap((model) => [0, 1, 2, 3].map(() => unihash(model.method, random(8))));
  const sum = (each: (model: SequentialModel) => number) => models.reduce((total, model) => total + each(model), 0);
  for (const model of models) model.marked.clear();
  client.send(
    `${['{"gc-mark-stream": null}', ...keep.map((unihash) => JSON.stringify({ mark, where: { unihash } })), 'END'].join('\n')}\n`,
  );
  assert.equal(await client.message(), 'ok');
  for (const unihash of keep) {
    const count = sum((model) => model.mark(unihash));
    assert.deepEqual(await client.message(), { count }, 'gc-mark-stream');
  }
  assert.equal(await client.line(), 'ok');
}

/** Has many clients ask at random, and compares every answer with that of a model that is asked one after the other. */
export async function playAtRandom(
  t: { after(fn: () => void | Promise<void>): void },
  transport: Transport,
  seed: number,
  flags: Record<string, unknown> = {},
): Promise<void> {
  const folder = temporaryFolder(t);
  const random = randomFrom(seed);
  // A cache of a few entries, so that it is full, aged and emptied all the time.
  const app = await createApp(configIn(folder, { 'cache-size': '8KiB', ...flags }), SILENT);
  const { connect, close } = await transport.open(app, DEFAULT_LIMITS, folder);
  const models = Array.from({ length: CONNECTIONS }, (_, n) => new SequentialModel(`method-${n}`));
  const clients = await Promise.all(models.map(async () => new WireClient(await connect()).handshake()));
  const sum = (each: (model: SequentialModel) => number) => models.reduce((total, model) => total + each(model), 0);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const where = (n: number) => `seed ${seed}, round ${round}, connection ${n}`;
      const play = (marking: boolean) =>
        Promise.all(clients.map((client, n) => playRound(client, models[n]!, random, marking, where(n))));
      await play(false);
      if (round % 3 !== 2) continue;
      await collectGarbage(clients[0]!, models, random, `mark ${round}`);
      await play(true);
      const keep = sum((model) => model.marked.size);
      const total = sum((model) => model.unihashes.size);
      assert.deepEqual(await clients[1]!.ask('gc-status', {}), {
        keep,
        remove: total - keep,
        mark: `mark ${round}`,
      });
      assert.deepEqual(await clients[2]!.ask('gc-sweep', { mark: `mark ${round}` }), {
        count: sum((model) => model.sweep()),
      });
      assert.deepEqual(await clients[3]!.ask('clean-unused', { max_age_seconds: 0 }), {
        count: sum((model) => model.cleanUnused()),
      });
    }
  } finally {
    for (const client of clients) client.close();
    await close();
    await app.close();
  }
}
