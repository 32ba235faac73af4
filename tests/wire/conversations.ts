import { createHash } from 'node:crypto';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { SequentialModel } from './model.ts';
import { type Exchange, type Random, request, streamed } from './paced.ts';

const METHOD = 'oe.Paced';
/** Of each kind of request. */
const COUNT = 40;

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
export const taskOf = (n: number) => hash(`task ${n}`);
export const unihashOf = (n: number) => hash(`unihash ${n}`);

const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
const rowOf = (n: number): Json => ({ method: METHOD, taskhash: taskOf(n), unihash: unihashOf(n) });

/** A number of tasks of which the first COUNT are reported, the next reported as equivalent, and the rest unknown. */
const anyTask = (random: Random) => random(3 * COUNT);
const isKnown = (n: number) => n < 2 * COUNT;

const get = (n: number) =>
  request('get', { method: METHOD, taskhash: taskOf(n), all: false }, isKnown(n) ? rowOf(n) : null);

const report = (n: number) =>
  request(
    'report',
    { method: METHOD, taskhash: taskOf(n), outhash: hash(`out ${n}`), unihash: unihashOf(n) },
    rowOf(n),
  );

const reportEquivalent = (n: number) =>
  request('report-equiv', { method: METHOD, taskhash: taskOf(n), unihash: unihashOf(n) }, rowOf(n));

/** Requests of all kinds about a few keys, each answered as if they came one after the other. */
function mixed(random: Random): Exchange[] {
  const model = new SequentialModel('oe.Mixed');
  const next = () => {
    const [task, own, out] = [taskOf(random(6)), hash(`mixed ${random(4)}`), hash(`mixed out ${random(4)}`)];
    const kinds = [
      () => model.report(task, out, own, false),
      () => model.reportEquivalent(task, own, false),
      () => model.get(task),
      () => model.getOuthash(out, random(2) === 0),
      () => model.removeTask(task),
      () => ({ command: 'ping', args: {}, answer: { alive: true } }),
      () => ({ command: 'get-db-query-columns', args: {}, answer: {} }),
    ];
    const { command, args, answer } = kinds[random(kinds.length)]!();
    return request(command, args, answer);
  };
  return times(2 * COUNT, next);
}

/** A method with as many rows as its number says: a count then tells which line it answers. */
const counted = times(7, (n) => ({ method: `oe.Counted${n}`, rows: n }));

function marks(random: Random): Exchange[] {
  const rows = counted.flatMap(({ method, rows }) =>
    times(rows, (n) => {
      const key = { method, taskhash: taskOf(n), unihash: hash(`${method} ${n}`) };
      return request('report-equiv', key, key);
    }),
  );
  const lines = times(COUNT, () => {
    const { method, rows } = counted[random(counted.length)]!;
    return [JSON.stringify({ mark: 'kept', where: { method } }), `{"count": ${rows}}`] as const;
  });
  return [...rows, ...streamed('gc-mark-stream', lines)];
}

/** All a client of the hash equivalence service may say, in order, each beside the answer to itself. */
export function hashConversation(random: Random): Exchange[] {
  const lookUps = times(4 * COUNT, () => anyTask(random));
  const existing = times(2 * COUNT, () => anyTask(random));
  return [
    ...times(COUNT, report),
    ...times(COUNT, (n) => reportEquivalent(COUNT + n)),
    ...times(2 * COUNT, () => get(anyTask(random))),
    ...streamed(
      'get-stream',
      lookUps.map((n) => [`${METHOD} ${taskOf(n)}`, isKnown(n) ? unihashOf(n) : '']),
    ),
    ...mixed(random),
    ...streamed(
      'exists-stream',
      existing.map((n) => [unihashOf(n), String(isKnown(n))]),
    ),
    ...times(COUNT, () => get(anyTask(random))),
    ...marks(random),
    ...times(COUNT, () => (random(2) ? get(anyTask(random)) : report(random(COUNT)))),
  ];
}

const packageOf = (n: number) => ({ version: `recipe${n}-1.0-r0`, pkgarch: 'core2-64' });

/** Every package has a largest value of its own, so an answer tells whose it is. */
export function prConversation(random: Random): Exchange[] {
  const largest = times(COUNT, (n) => n * 100);
  const known = (n: number) => ({ ...packageOf(n), checksum: `known ${n}`, history: false });
  const fresh = (n: number) => {
    largest[n]!++;
    const args = { ...packageOf(n), checksum: `fresh ${n} ${largest[n]}`, history: false };
    return request('get-pr', args, { value: String(largest[n]) });
  };
  return [
    ...times(COUNT, (n) => {
      const args = { ...packageOf(n), checksum: `known ${n}`, value: String(n * 100) };
      return request('import-one', args, { value: args.value });
    }),
    ...times(2 * COUNT, () => random(COUNT)).map((n) => request('test-pr', known(n), { value: String(n * 100) })),
    ...times(4 * COUNT, () => fresh(random(COUNT))),
    ...times(COUNT, () => {
      const n = random(COUNT);
      return random(2) ? request('max-package-pr', packageOf(n), { value: String(largest[n]) }) : fresh(n);
    }),
  ];
}

/** The plain form: every answer names its request, and must be its own. */
export function plainConversation(random: Random): Exchange[] {
  let id = 0;
  const call = (method: string, params: Json, result: Json): Exchange => {
    const text = `${JSON.stringify({ id: ++id, method, params })}\n`;
    const answer = { id, result, error: null };
    return {
      text,
      check(line) {
        const got = JSON.parse(line);
        if (JSON.stringify(got) !== JSON.stringify(answer)) throw new Error(`${line} to ${text}`);
      },
    };
  };
  const key = (n: number) => ({ method: METHOD, taskhash: taskOf(n) });
  const found = (n: number): Json => ({ taskhash: taskOf(n), method: METHOD, unihash: unihashOf(n) });
  const lines = () => times(random(20), () => random(2 * COUNT));
  return [
    ...times(COUNT, (n) => call('report-equiv', { ...key(n), unihash: unihashOf(n) }, found(n))),
    ...times(4 * COUNT, () => {
      const n = random(2 * COUNT);
      if (random(3)) return call('get', key(n), n < COUNT ? found(n) : null);
      const asked = lines();
      const answers = asked.map((each) => (each < COUNT ? unihashOf(each) : ''));
      return call('get-stream', { lines: asked.map((each) => `${METHOD} ${taskOf(each)}`) }, answers);
    }),
    ...times(COUNT, (n) => call('get-pr', { ...packageOf(n), checksum: 'c' }, { value: '0' })),
  ];
}
