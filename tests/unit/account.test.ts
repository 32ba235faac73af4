import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS, KIB } from '../../lib/asyncrpc/limits.ts';
import { Account, type Holding } from '../../lib/asyncrpc/shares/account.ts';

const LIMITS = { ...DEFAULT_LIMITS, maxMessageBytes: 256 * KIB, maxPartialBytes: 512 * KIB, maxHeldBytes: 1024 * KIB };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Connections that do nothing but hold. */
function holders() {
  const account = new Account(LIMITS);
  const told: string[] = [];
  const open = (name: string, address: string | null = name[0]!): Holding =>
    account.open({
      address,
      onRoom: () => void told.push(name),
      giveUp: () => void told.push(`${name} goes`),
    });
  return { account, told, open };
}

/** A message of which `bytes` have come; true when its client is read on. */
const bring = (holding: Holding, bytes: number) => {
  holding.set(bytes, bytes, 0);
  return holding.mayRead;
};

describe('the account of what is held', () => {
  const amounts = fc.nat(400 * KIB);
  const moves = fc.array(
    fc.record({
      who: fc.nat(5),
      what: fc.constantFrom('arrive', 'take', 'answer', 'send', 'fetch', 'fetched', 'read', 'close', 'tick'),
      bytes: amounts,
    }),
    { maxLength: 120 },
  );

  test('is never negative, counts each byte once, and is zero when everybody is gone', () => {
    fc.assert(
      fc.property(moves, (steps) => {
        const { account, open } = holders();
        const clients = [0, 1, 2, 3, 4, 5].map((i) => ({
          holding: open(`${'AABBC'[i] ?? 'D'}${i}`),
          partial: 0,
          work: 0,
          unsent: 0,
          gone: false,
        }));
        for (const { who, what, bytes } of steps) {
          const client = clients[who]!;
          const { holding } = client;
          if (what === 'arrive' && !client.gone && holding.mayRead) client.partial += Math.min(bytes, 64 * KIB);
          else if (what === 'take') [client.partial, client.work] = [0, client.work + client.partial];
          else if (what === 'answer') [client.work, client.unsent] = [0, client.unsent + Math.min(bytes, client.work)];
          else if (what === 'send') client.unsent -= Math.min(bytes, client.unsent);
          else if (what === 'fetch') void (!client.gone && holding.mayFetch);
          else if (what === 'fetched') holding.fetched();
          else if (what === 'read') void (!client.gone && holding.mayRead);
          else if (what === 'tick') account.relieve(250);
          else if (what === 'close') {
            holding.close();
            Object.assign(client, { partial: 0, work: 0, unsent: 0, gone: true });
          }
          if (!client.gone) holding.set(client.partial + client.work + client.unsent, client.partial, client.unsent);
          const held = clients.reduce((sum, each) => sum + each.partial + each.work + each.unsent, 0);
          assert.equal(account.held, held);
          assert.ok(account.held >= 0 && account.taken >= 0);
          assert.equal(
            account.taken,
            clients.reduce((sum, each) => sum + each.holding.taken, 0),
          );
        }
        for (const { holding } of clients) holding.close();
        for (const { holding } of clients) holding.close();
        assert.deepEqual([account.held, account.taken, account.waiting], [0, 0, 0]);
      }),
      { numRuns: 500 },
    );
  });

  test('lets nobody wait who holds little, whatever others hold', () => {
    const { account, open } = holders();
    for (const name of ['A1', 'A2', 'B1', 'B2', 'C1']) {
      bring(open(name), 100 * KIB);
      open(`${name} sends`).set(900 * KIB, 0, 900 * KIB);
    }
    assert.ok(account.taken > LIMITS.maxHeldBytes);
    assert.ok(bring(open('A3'), 60 * KIB));
    assert.ok(bring(open('Z1'), 60 * KIB));
  });

  test('lets only so many put long messages together, each to its end, and half of them from one address', async () => {
    const { account, told, open } = holders();
    const [a1, a2, b1, c1] = ['A1', 'A2', 'B1', 'C1'].map((name) => open(name)) as [Holding, Holding, Holding, Holding];
    assert.ok(bring(a1, 80 * KIB));
    // What every connection may hold, 128 KiB, is not taken from the pool; what is still to come is.
    assert.equal(account.taken, 176 * KIB);
    assert.ok(!bring(a2, 80 * KIB), 'half is for one address');
    assert.ok(bring(b1, 80 * KIB), 'and keeps no other waiting');
    assert.ok(!bring(c1, 80 * KIB));
    a2.close();
    // However much comes, those that were let go on are read to the end.
    assert.ok(bring(a1, 250 * KIB));
    assert.ok(bring(b1, 250 * KIB));
    // Complete: no part of it is missing any more.
    a1.set(250 * KIB, 0, 0);
    await turn();
    assert.deepEqual(told, ['C1']);
    assert.ok(c1.mayRead);
  });

  test('lets answers of any length be fetched as far as there is room for them', async () => {
    const { told, open } = holders();
    const [a1, a2, a3] = ['A1', 'A2', 'A3'].map((name) => open(name)) as [Holding, Holding, Holding];
    assert.ok(a1.mayFetch && a2.mayFetch);
    assert.ok(!a3.mayFetch);
    assert.ok(open('B1').mayFetch);
    a1.set(300 * KIB, 0, 300 * KIB);
    a1.fetched();
    await turn();
    assert.deepEqual(told, [], 'the answer is there but not sent');
    a1.set(0, 0, 0);
    await turn();
    assert.deepEqual(told, ['A3']);
  });

  test('while somebody waits, has those that stalled go, who holds most and longest first', () => {
    const { account, told, open } = holders();
    const [small, large] = [open('A1'), open('B1')];
    bring(small, 70 * KIB);
    bring(large, 200 * KIB);
    for (let tick = 0; tick < 8; tick++) account.relieve(250);
    assert.deepEqual(told, [], 'nobody waits');
    const waiting = open('C1');
    assert.ok(!bring(waiting, 80 * KIB));
    for (let tick = 0; tick < 5 && told.length === 0; tick++) account.relieve(250);
    assert.equal(told.length, 1);
  });

  test('one that goes on being sent, or is not read, does not count as stalled', () => {
    const { account, told, open } = holders();
    const [sent, unread] = [open('A1'), open('B1')];
    bring(sent, 70 * KIB);
    bring(unread, 70 * KIB);
    unread.isRead = false;
    assert.ok(!bring(open('C1'), 80 * KIB));
    for (let tick = 1; tick < 20; tick++) {
      bring(sent, (70 + 5 * tick) * KIB);
      account.relieve(250);
    }
    assert.deepEqual(told, []);
  });
});
