import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { keyOf, nextOf, type Queued } from '../../lib/jobs/policy.ts';
import { createJobTurns } from '../../lib/jobs/turns.ts';

const job = (id: number, writes: string | null): Queued => ({ id, writes });
const database = fc.constantFrom(null, 'hash.db', 'pr.db');

describe('the next job', () => {
  test('is the first whose database nobody writes to', () => {
    const waiting = [job(3, 'a'), job(4, 'a'), job(5, null), job(6, 'b')];
    assert.equal(nextOf(waiting, [])?.id, 3);
    assert.equal(nextOf(waiting, [job(1, 'a')])?.id, 5);
    assert.equal(nextOf(waiting.slice(0, 2), [job(1, 'a')]), null);
    assert.equal(nextOf(waiting, [job(1, null)])?.id, 3, 'a job that only reads is in nobody’s way');
  });

  test('whatever comes, and ends, in whatever order: one writer a database, no more than the workers, each once, in order', async () => {
    /** Jobs are added, or one of those that run ends. */
    const step = fc.oneof(
      fc.record({ writes: database }),
      fc.record({ ends: fc.nat() }),
      fc.record({ removes: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (steps, workers) => {
        const turns = createJobTurns(workers);
        const running = new Map<number, { job: Queued; end: () => void }>();
        const waiting: Queued[] = [];
        const begun: Queued[] = [];
        const removed = new Set<number>();
        let last = 0;
        const settle = () => new Promise((resolve) => setImmediate(resolve));
        const begin = (each: Queued) => {
          for (const other of running.values())
            assert.ok(each.writes === null || other.job.writes !== each.writes, 'two write to one database');
          waiting.splice(waiting.indexOf(each), 1);
          begun.push(each);
          return new Promise<void>((resolve) => {
            running.set(each.id, { job: each, end: resolve });
            assert.ok(running.size <= workers, 'more run than there are workers');
          });
        };
        const end = async (nth: number) => {
          const [id, { end }] = [...running][nth % running.size]!;
          running.delete(id);
          end();
          await settle();
        };
        const all: Queued[] = [];
        for (const each of steps) {
          if ('writes' in each) {
            const added = job(++last, each.writes);
            all.push(added);
            waiting.push(added);
            turns.add(added, () => begin(added));
          } else if ('removes' in each && waiting.length > 0) {
            const [gone] = waiting.splice(each.removes % waiting.length, 1);
            assert.equal(turns.remove(gone!.id), true);
            removed.add(gone!.id);
          } else if ('ends' in each && running.size > 0) await end(each.ends);
          await settle();
          const could = nextOf(
            waiting,
            [...running.values()].map((each) => each.job),
          );
          assert.ok(running.size === workers || could === null, 'a job waits that could run');
        }
        while (running.size > 0) await end(0);
        assert.deepEqual(
          new Set(begun.map(({ id }) => id)),
          new Set(all.map(({ id }) => id).filter((id) => !removed.has(id))),
        );
        assert.equal(begun.length, new Set(begun).size, 'a job ran twice');
        for (const name of [null, 'hash.db', 'pr.db']) {
          const ids = begun.filter(({ writes }) => writes === name).map(({ id }) => id);
          assert.deepEqual(
            ids,
            [...ids].sort((a, b) => a - b),
            'one passed another of its database',
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('jobs are equal', () => {
  test('whose kinds and parameters are, whatever the order of keys', () => {
    assert.equal(keyOf('gc', { a: 1, b: { c: [1, 2], d: null } }), keyOf('gc', { b: { d: null, c: [1, 2] }, a: 1 }));
  });

  test('and no others', () => {
    const parameters = fc.jsonValue().filter((value) => typeof value === 'object' && value !== null);
    fc.assert(
      fc.property(parameters, parameters, (a, b) => {
        const same = () => assert.deepEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
        if (keyOf('gc', a) === keyOf('gc', b)) same();
        else assert.throws(same);
      }),
    );
    assert.notEqual(keyOf('gc', {}), keyOf('gc-mark', {}));
    assert.notEqual(keyOf('gc', { a: [1] }), keyOf('gc', { a: { 0: 1 } }));
    assert.notEqual(keyOf('gc', {}), keyOf('gc', []));
  });
});
