import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CommandRow } from '../../lib/asyncrpc/command-row.ts';
import { createDispatcher } from '../../lib/asyncrpc/dispatch.ts';
import { createValidator } from '../../lib/asyncrpc/wire/formats.ts';
import { WriteGate } from '../../lib/asyncrpc/write-gate.ts';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';

/** Requests at a gate, each answered when told to. */
function requests(gate: WriteGate) {
  const answers: (() => void)[] = [];
  const handOver = (count: number) =>
    gate.count(
      count,
      new Promise<void>((resolve) => {
        answers.push(resolve);
      }),
    );
  const answer = async () => {
    answers.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { handOver, answer };
}

describe('the gate before writes', () => {
  test('is closed while as many are under way as may be, and open again when one is answered', async () => {
    const gate = new WriteGate(3);
    const { handOver, answer } = requests(gate);
    handOver(2);
    assert.equal(gate.isOpen, true);
    handOver(2);
    assert.equal(gate.isOpen, false);
    await answer();
    assert.equal(gate.isOpen, true);
  });

  test('counts what failed as answered', async () => {
    const gate = new WriteGate(1);
    gate.count(1, Promise.reject(new Error('storage full')));
    assert.equal(gate.isOpen, false);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(gate.isOpen, true);
  });

  test('lets those that wait go on in order, and only as many as it has room for', async () => {
    const gate = new WriteGate(2);
    const { handOver, answer } = requests(gate);
    handOver(2);
    const gone: string[] = [];
    for (const name of ['a', 'b', 'c'])
      gate.wait(() => {
        gone.push(name);
        handOver(1);
      });
    await answer();
    assert.deepEqual(gone, ['a', 'b']);
    await answer();
    assert.deepEqual(gone, ['a', 'b', 'c']);
  });

  test('tells how many are under way, and how often somebody waited', async () => {
    const gate = new WriteGate(2);
    const { handOver, answer } = requests(gate);
    handOver(2);
    gate.wait(() => handOver(1));
    gate.wait(() => handOver(1))();
    assert.deepEqual([gate.requests, gate.limit, gate.waiting, gate.waits], [2, 2, 1, 2]);
    await answer();
    assert.deepEqual([gate.requests, gate.waiting, gate.waits], [1, 0, 2]);
  });

  test('passes over who gave the turn up, and who does not use it', async () => {
    const gate = new WriteGate(1);
    const { handOver, answer } = requests(gate);
    handOver(1);
    const gone: string[] = [];
    const giveUp = gate.wait(() => gone.push('a'));
    gate.wait(() => gone.push('b'));
    gate.wait(() => gone.push('c'));
    giveUp();
    await answer();
    assert.deepEqual(gone, ['b', 'c']);
  });
});

describe('the commands that pass it', () => {
  const gated = (rows: Readonly<Record<string, CommandRow<never>>>, readOnly: boolean) => {
    const access = readOnly ? 'read-only' : 'read-write';
    const open = createDispatcher<never>({ rows, access, validator: createValidator() });
    const session = open(null as never, { awaitsLogin: false, isStale: false, close() {} });
    return Object.keys(rows).filter((name) => session.command(name)!.gate);
  };

  test('are those that write to the hash equivalence database', () => {
    assert.deepEqual(gated(HASH_COMMANDS, false).sort(), [
      'clean-unused',
      'delete-user',
      'gc-mark',
      'gc-mark-stream',
      'gc-sweep',
      'import-rows',
      'new-user',
      'refresh-token',
      'remove',
      'report',
      'report-equiv',
      'set-user-perms',
    ]);
  });

  test('are those that write to the PR database', () => {
    assert.deepEqual(gated(PR_COMMANDS, false).sort(), ['get-pr', 'import-one', 'import-rows', 'remove']);
  });

  test('are none on a read-only server', () => {
    assert.deepEqual([...gated(HASH_COMMANDS, true), ...gated(PR_COMMANDS, true)], []);
  });
});
