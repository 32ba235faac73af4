import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../../lib/asyncrpc/fifo.ts';
import { PendingLookups } from '../../lib/asyncrpc/upstream/pending-lookups.ts';

const NEVER = Number.NEGATIVE_INFINITY;

/** What a server has been sent and not answered, on one connection. */
function sendTo(server: Fifo<string>, pending: PendingLookups<string>, maxInFlight: number): void {
  server.pushAll(pending.send(maxInFlight).split('\n').slice(0, -1));
}

function answerFrom(server: Fifo<string>, pending: PendingLookups<string>): void {
  const request = server.take();
  if (request === undefined) return;
  assert.equal(pending.oldest, `${request}\n`);
  pending.answer(`answer to ${request}`);
}

const moment = fc.oneof(
  { weight: 5, arbitrary: fc.record({ ask: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 }) }) },
  { weight: 5, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 10, arbitrary: fc.record({ answers: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.constant({ lost: true }) },
  { weight: 1, arbitrary: fc.constant({ late: true }) },
  { weight: 1, arbitrary: fc.constant({ givenUp: true }) },
);

describe('look-ups that wait for an upstream', () => {
  test('each get their own answer or none, whenever they are asked, sent, answered, given up or cut off', async () => {
    const property = fc.asyncProperty(fc.array(moment, { maxLength: 120 }), async (moments) => {
      const pending = new PendingLookups<string>();
      let server = new Fifo<string>();
      const batches: { keys: readonly number[]; answers: Promise<readonly (string | null)[]> }[] = [];
      for (const now of moments) {
        if ('ask' in now) batches.push({ keys: now.ask, answers: pending.ask(now.ask.map((key) => `${key}\n`)) });
        else if ('send' in now) sendTo(server, pending, now.send);
        else if ('answers' in now) for (let n = 0; n < now.answers; n++) answerFrom(server, pending);
        else if ('late' in now) pending.giveUpBefore(Number.POSITIVE_INFINITY);
        else if ('givenUp' in now) pending.giveUpAll();
        else {
          pending.rewind(false);
          server = new Fifo();
        }
        assert.equal(pending.inFlight, server.length);
      }
      while (pending.size > 0) {
        sendTo(server, pending, 5);
        answerFrom(server, pending);
      }
      for (const { keys, answers } of batches) {
        for (const [i, answer] of (await answers).entries()) {
          if (answer !== null) assert.equal(answer, `answer to ${keys[i]}`);
        }
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });

  test('all get their answers when nothing is given up and no connection is lost twice on the same', async () => {
    const pending = new PendingLookups<string>();
    const server = new Fifo<string>();
    const keys = Array.from({ length: 40 }, (_, key) => key);
    const answers = pending.ask(keys.map((key) => `${key}\n`));
    sendTo(server, pending, 30);
    for (let n = 0; n < 7; n++) answerFrom(server, pending);
    assert.equal(pending.giveUpBefore(NEVER), false);
    assert.equal(pending.rewind(false), true);
    server.clear();
    while (pending.size > 0) {
      sendTo(server, pending, 30);
      answerFrom(server, pending);
    }
    assert.deepEqual(
      await answers,
      keys.map((key) => `answer to ${key}`),
    );
  });

  test('after a lost connection go out one, and one more with every answer', () => {
    const pending = new PendingLookups<string>();
    const server = new Fifo<string>();
    void pending.ask(Array.from({ length: 40 }, (_, key) => `${key}\n`));
    sendTo(server, pending, 30);
    assert.equal(server.length, 30);
    pending.rewind(false);
    server.clear();
    for (const inFlight of [1, 2, 3, 4]) {
      sendTo(server, pending, 30);
      assert.equal(server.length, inFlight);
      answerFrom(server, pending);
    }
    pending.rewind(false);
    server.clear();
    sendTo(server, pending, 30);
    assert.deepEqual(server.oldest(9), ['4'], 'the oldest, alone');
  });
});
