import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createDesk } from '../../lib/asyncrpc/connection/blocks.ts';
import { Inbox } from '../../lib/asyncrpc/connection/inbox.ts';
import { DEFAULT_LIMITS } from '../../lib/asyncrpc/limits.ts';
import { ProtocolError } from '../../lib/errors.ts';

const newInbox = () => new Inbox(DEFAULT_LIMITS, { chunked: true, heldBytes: () => 0 }, createDesk());

/** Lines as a reader leaves them: without white space at the end. Ends of a stream are among them. */
const line = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant('END') },
    { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'é', '語', ' ', '{'), maxLength: 12 }) },
  )
  .map((text) => text.trimEnd());

/** Moments of a conversation: so many bytes come, then so many lines are taken, one by one or together. */
const moments = fc.array(
  fc.record({
    bytes: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 400 })),
    takes: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 60 },
);

/** One line for 0, else up to so many together, the END that is next by itself. */
function take(inbox: Inbox, most: number): readonly string[] {
  if (most > 0) return inbox.takeLines(most) ?? ['END'];
  const next = inbox.takeLine();
  return next === null ? [] : [next];
}

describe('the lines of a connection', () => {
  test('come out as they went in, however the input is cut and whenever they are taken', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 80 }), moments, (lines, cuts) => {
        const inbox = newInbox();
        const input = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const taken: string[] = [];
        let at = 0;
        for (let n = 0; at < input.length; n++) {
          const { bytes, takes } = cuts[n % cuts.length]!;
          inbox.push(input.subarray(at, at + bytes));
          at += bytes;
          for (const most of takes) taken.push(...take(inbox, most));
          assert.deepEqual(taken, lines.slice(0, taken.length));
        }
        while (!inbox.isEmpty) taken.push(...take(inbox, taken.length % 3));
        assert.deepEqual(taken, lines);
        assert.equal(inbox.bytes, 0);
      }),
      { numRuns: 500 },
    );
  });

  test('never holds more lines of a stream than were asked for, nor any behind its END', () => {
    const inbox = newInbox();
    inbox.push(Buffer.from('a\nb\nc\nEND\nd\n'));
    assert.deepEqual(inbox.takeLines(2), ['a', 'b']);
    assert.deepEqual(inbox.takeLines(9), ['c']);
    assert.equal(inbox.takeLines(9), null);
    assert.deepEqual(inbox.takeLines(9), ['d']);
    assert.deepEqual(inbox.takeLines(9), []);
  });
});

test('the time of a client is that in which it is read', () => {
  const messageTimeoutMs = 20;
  const inbox = new Inbox({ ...DEFAULT_LIMITS, messageTimeoutMs }, { chunked: true, heldBytes: () => 0 }, createDesk());
  const pass = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  };
  inbox.push(Buffer.from('half'));
  inbox.note();
  inbox.pause();
  pass(2 * messageTimeoutMs);
  inbox.resume();
  assert.equal(inbox.checkTime(performance.now()), null);
  pass(2 * messageTimeoutMs);
  assert.match(String(inbox.checkTime(performance.now())), /not complete within/);
});

test('what is refused is let go of, and whole lines before it are not', () => {
  const inbox = newInbox();
  inbox.push(Buffer.from('a\nhalf'));
  inbox.fail(new ProtocolError('no'));
  assert.deepEqual([inbox.heldBytes, inbox.partialBytes], [2, 0]);
  assert.equal(inbox.takeLine(), 'a');
  assert.deepEqual([inbox.heldBytes, inbox.isEmpty, inbox.failure?.message], [0, true, 'no']);
});

describe('a message that was begun', () => {
  const TIMEOUT_MS = 50;

  test('is late once its time is over; time in which its client was not read does not count', () => {
    const inbox = new Inbox(
      { ...DEFAULT_LIMITS, messageTimeoutMs: TIMEOUT_MS },
      { chunked: true, heldBytes: () => 0 },
      createDesk(),
    );
    const before = performance.now();
    inbox.push(Buffer.from('{"report": '));
    inbox.note();
    const begun = performance.now();
    assert.equal(inbox.checkTime(before), null);
    assert.match(inbox.checkTime(begun + TIMEOUT_MS + 1)!.message, /a message was not complete within 0.05 s/);
    inbox.pause();
    const paused = performance.now();
    // More than passed above, so that a pause that counted would show; how fast this machine is does not matter.
    while (performance.now() - paused <= 2 * (begun - before) + 1);
    const unreadMs = performance.now() - paused;
    inbox.resume();
    assert.equal(inbox.checkTime(before + TIMEOUT_MS + unreadMs), null);
    assert.notEqual(inbox.checkTime(performance.now() + TIMEOUT_MS + 1), null);
  });
});
