import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLoopGuard } from '../../lib/asyncrpc/upstream/loop-guard.ts';
import { createTraces } from '../../lib/asyncrpc/upstream/traces.ts';
import { LoopError } from '../../lib/errors.ts';
import { recorder } from '../wire/upstream-helpers.ts';

/** A guard, and what it passes on and finds. */
function createNode() {
  const log = recorder();
  const guard = createLoopGuard(log);
  const passed: string[] = [];
  const node = { guard, log, passed, loops: 0 };
  guard.onForeign((via) => void passed.push(via));
  guard.onLoop(() => void node.loops++);
  return node;
}

type Node = ReturnType<typeof createNode>;

/** Takes a nonce round the nodes until it goes no further; whether somebody refused it. */
function goRound(nodes: readonly Node[], start: number): boolean {
  let via = nodes[start]!.guard.trace();
  for (let at = start + 1; ; at++) {
    const node = nodes[at % nodes.length]!;
    const before = node.passed.length;
    try {
      node.guard.admit([via]);
    } catch (error) {
      assert.ok(error instanceof LoopError);
      return true;
    }
    if (node.passed.length === before) return false;
    via = node.passed.at(-1)!;
  }
}

describe('a loop of upstreams', () => {
  for (const length of [1, 2, 3, 7, 32]) {
    test(`of ${length} is proven by a nonce that comes back, and one server alone leaves it`, () => {
      const nodes = Array.from({ length }, createNode);
      const refused = nodes.map((_, start) => goRound(nodes, start)).filter(Boolean);
      assert.equal(refused.length, 1);
      assert.deepEqual(
        nodes.map((node) => node.loops).sort((a, b) => b - a),
        [1, ...new Array(length - 1).fill(0)],
      );
      for (let start = 0; start < length; start++) goRound(nodes, start);
      assert.equal(
        nodes.reduce((sum, { log }) => sum + log.count('error: upstream loop'), 0),
        1,
        'said once',
      );
    });
  }

  test('that a nonce’s maker is no part of ends it after a number of servers', () => {
    const below = createNode();
    const loop = [createNode(), createNode()];
    let via = below.guard.trace();
    let turns = 0;
    for (; turns < 1000; turns++) {
      const node = loop[turns % 2]!;
      const before = node.passed.length;
      node.guard.admit([via]);
      if (node.passed.length === before) break;
      via = node.passed.at(-1)!;
    }
    assert.equal(turns, 32);
    assert.equal(below.loops + loop[0]!.loops + loop[1]!.loops, 0);
  });

  test('is not proven by a header alone, whatever a client writes into it', () => {
    const node = createNode();
    const shown = node.guard.trace();
    const [nonce, hops, name] = shown.split('/') as [string, string, string];
    const other = nonce.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const headers = [
      name,
      name.slice(0, 8),
      `${other}/${hops}/${name}`,
      `${nonce}`,
      `${nonce.slice(1)}/9/${name}`,
      '',
      'x',
    ];
    for (const header of headers) node.guard.admit([header]);
    node.guard.admit([]);
    node.guard.admit([`${other}/99/${name}`]);
    assert.equal(node.loops, 0);
    assert.deepEqual(node.passed, [`${other}/31/${name}`, `${other}/31/${name}`], 'and no further than a nonce goes');
  });
});

test('however many nonces clients make up, eight at once are shown to the upstream', () => {
  let shown = 0;
  const traces = createTraces(() => {
    shown++;
    return new Promise(() => {});
  });
  for (let n = 0; n < 1000; n++) traces.passOn(`${n}`);
  traces.close();
  assert.equal(shown, 8);
});
