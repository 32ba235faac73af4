import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { fakeUpstream, unihashOf } from './fake-upstream.ts';
import type { WireClient } from './helpers.ts';
import { site, stream } from './upstream-helpers.ts';

/** Long enough that nothing is given up because of the time. */
const PATIENT = { 'upstream-timeout': 60, prserv: false };

const breakerOf = async (client: WireClient) =>
  ((await client.ask('get-stats', null)) as unknown as { upstream: { breaker: string } }).upstream.breaker;

const get = (client: WireClient, taskhash: string) => client.ask('get', { method: 'm', taskhash });
const rowOf = (taskhash: string): Json => ({ method: 'm', taskhash, unihash: unihashOf(`m ${taskhash}`) });

describe('an upstream that hangs up on one look-up', () => {
  test('costs that line of a stream only: it is asked again alone, then a miss, and the breaker stays closed', async (t) => {
    const fake = await fakeUpstream(t);
    fake.hangsUpOn = 'poison';
    const server = await site(t, fake.address, PATIENT);
    const [bad, good, other] = [server.hash(), server.hash(), server.hash()];
    assert.deepEqual(await stream(good, 'get-stream', ['m a-before']), [unihashOf('m a-before')]);
    // Three of them, one after the other: the breaker opens at three failures in a row.
    const lines = ['m a-poison-1', 'm a-poison-2', 'm a-poison-3', 'm a1', 'm b1', 'm a2'];
    const [asked, beside, existing] = await Promise.all([
      stream(bad, 'get-stream', lines),
      stream(good, 'get-stream', ['m a3', 'm b3', 'm a4']),
      stream(other, 'exists-stream', ['a5', 'b5']),
    ]);
    assert.deepEqual(asked, ['', '', '', unihashOf('m a1'), '', unihashOf('m a2')]);
    assert.deepEqual(beside, [unihashOf('m a3'), '', unihashOf('m a4')]);
    assert.deepEqual(existing, ['true', 'false']);
    assert.equal(await breakerOf(good), 'closed');
    for (const line of lines.slice(0, 3)) {
      const times = fake.asked.get('hung up')!.filter((each) => each === line).length;
      assert.equal(times, 2, `${line} is asked once in company and once alone`);
    }
  });

  test('before the answers to those ahead of it are out costs them nothing, and few connections', async (t) => {
    const fake = await fakeUpstream(t);
    const server = await site(t, fake.address, PATIENT);
    const client = server.hash();
    assert.deepEqual(await stream(client, 'get-stream', ['m a-before']), [unihashOf('m a-before')]);
    Object.assign(fake, { hangsUpOn: 'poison', losesAnswers: true });
    const before = fake.connections;
    const lines = Array.from({ length: 300 }, (_, i) => (i === 200 ? 'm a-poison' : `m a${i}`));
    assert.deepEqual(
      await stream(client, 'get-stream', lines),
      lines.map((line) => (line === 'm a-poison' ? '' : unihashOf(line))),
    );
    assert(fake.connections - before < 30, `${fake.connections - before} connections`);
    assert.equal(await breakerOf(client), 'closed');
  });

  test('costs that message only', async (t) => {
    const fake = await fakeUpstream(t);
    fake.hangsUpOn = 'poison';
    const server = await site(t, fake.address, PATIENT);
    const clients = Array.from({ length: 6 }, () => server.hash());
    assert.deepEqual(await get(clients[0]!, 'a-before'), rowOf('a-before'));
    const keys = ['a-poison-1', 'a-poison-2', 'a1', 'a-poison-3', 'b2', 'a3'];
    const answers = await Promise.all(keys.map((key, i) => get(clients[i]!, key)));
    assert.deepEqual(answers, [null, null, rowOf('a1'), null, null, rowOf('a3')]);
    assert.equal(await breakerOf(clients[0]!), 'closed');
    assert.equal(fake.asked.get('hung up')!.length, 6);
  });

  test('on streams, messages and existence at once does not open the breaker', async (t) => {
    const fake = await fakeUpstream(t);
    const server = await site(t, fake.address, PATIENT);
    const clients = Array.from({ length: 4 }, () => server.hash());
    // Each of the three connections has answered something.
    assert.deepEqual(await stream(clients[0]!, 'get-stream', ['m a1']), [unihashOf('m a1')]);
    assert.deepEqual(await stream(clients[1]!, 'exists-stream', ['a1']), ['true']);
    assert.deepEqual(await get(clients[2]!, 'a2'), rowOf('a2'));
    fake.hangsUpOn = 'poison';
    const answers = await Promise.all([
      stream(clients[0]!, 'get-stream', ['m a-poison-1', 'm a-poison-2']),
      stream(clients[1]!, 'exists-stream', ['a-poison-1', 'a-poison-2']),
      get(clients[2]!, 'a-poison-3'),
      get(clients[3]!, 'a-poison-4'),
    ]);
    assert.deepEqual(answers, [['', ''], ['false', 'false'], null, null]);
    assert.equal(await breakerOf(clients[0]!), 'closed');
  });
});

test('an upstream that hangs up on everything, also on what it answered before, opens the breaker', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, PATIENT);
  const client = server.hash();
  assert.deepEqual(await stream(client, 'get-stream', ['m a1']), [unihashOf('m a1')]);
  fake.hangsUpOn = 'm ';
  // Nothing here is given up because of the time: only the breaker can answer them all.
  const lines = Array.from({ length: 50 }, (_, i) => `m a-later-${i}`);
  assert.deepEqual(
    await stream(client, 'get-stream', lines),
    lines.map(() => ''),
  );
  assert.equal(await breakerOf(client), 'open');
  fake.hangsUpOn = null;
  while ((await breakerOf(client)) === 'open') await new Promise(setImmediate);
  assert.deepEqual(await stream(client, 'get-stream', ['m a2']), [unihashOf('m a2')]);
});

test('an upstream that restarts with look-ups in flight answers them all afterwards', async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, PATIENT);
  const [client, other] = [server.hash(), server.hash()];
  assert.deepEqual(await stream(client, 'get-stream', ['m a1']), [unihashOf('m a1')]);
  let open = () => {};
  fake.gate = new Promise((resolve) => {
    open = resolve;
  });
  const lines = Array.from({ length: 300 }, (_, i) => `m ${i % 3 ? 'a' : 'b'}${i}`);
  const answers = Promise.all([stream(client, 'get-stream', lines), stream(other, 'get-stream', lines.toReversed())]);
  while ((fake.asked.get('get-stream')?.length ?? 0) < 200) await new Promise(setImmediate);
  await fake.become('refused');
  fake.gate = null;
  open();
  await fake.become('right');
  const expected = lines.map((line) => (line.startsWith('m a') ? unihashOf(line) : ''));
  assert.deepEqual(await answers, [expected, expected.toReversed()]);
});

test('when the breaker opens, whoever waits for the upstream is answered at once', { timeout: 60_000 }, async (t) => {
  const fake = await fakeUpstream(t);
  const server = await site(t, fake.address, { ...PATIENT, 'upstream-timeout': 3600 });
  const [waiting, message, bad] = [server.hash(), server.hash(), server.hash()];
  // Nothing is answered any more; and one connection is hung up on again and again.
  fake.gate = new Promise(() => {});
  fake.hangsUpOn = 'poison';
  const answers = Promise.all([stream(waiting, 'get-stream', ['m a1', 'm a2']), get(message, 'a3')]);
  while (!fake.asked.get('get')) await new Promise(setImmediate);
  assert.deepEqual(await stream(bad, 'exists-stream', ['a-poison-1', 'a-poison-2']), ['false', 'false']);
  assert.deepEqual(await answers, [['', ''], null]);
  assert.equal(await breakerOf(bad), 'open');
});
