import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { claimName, claimPath } from '../../lib/asyncrpc/transport/unix/claim.ts';
import { connectUnixSocket } from '../../lib/asyncrpc/transport/unix/path.ts';
import type { Answer, Order } from './contender.ts';
import { afterwards, type Context, temporaryFolder } from './helpers.ts';

const CONTENDER = fileURLToPath(new URL('contender.ts', import.meta.url));
const CONTENDERS = 4;
const ROUNDS = 15;

interface Contender {
  readonly child: ChildProcess;
  tell(order: Order): Promise<Answer>;
}

/** A process of tests/e2e/contender.ts that is ready; killed after the test. */
async function contender(t: Context): Promise<Contender> {
  const child = fork(CONTENDER, { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'close');
  afterwards(t, async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const answer = async () => {
    const [said] = await Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error('a contender ended'))),
    ]);
    return said as Answer;
  };
  await answer();
  return {
    child,
    tell(order) {
      const answered = answer();
      child.send(order);
      return answered;
    },
  };
}

/** A socket file whose server has ended. */
async function leaveStaleSocket(file: string): Promise<void> {
  const dead = net.createServer();
  const elsewhere = path.join(path.dirname(path.dirname(file)), 'dead');
  await new Promise<void>((resolve) => dead.listen(elsewhere, resolve));
  fs.renameSync(elsewhere, file);
  await new Promise((resolve) => dead.close(resolve));
}

const PLACES = [
  { what: 'a free path', name: 's', stale: false },
  { what: 'a stale socket', name: 's', stale: true },
  { what: 'a stale socket of a long path', name: 'l'.repeat(180), stale: true },
];

describe('servers that start at the same moment on one Unix socket path', () => {
  for (const { what, name, stale } of PLACES) {
    test(`${what}: one gets it, the others are refused, and only the one is answered`, async (t) => {
      const folder = path.join(temporaryFolder(t), 'place');
      fs.mkdirSync(folder);
      const file = path.join(folder, name);
      const contenders = await Promise.all(Array.from({ length: CONTENDERS }, () => contender(t)));
      for (let round = 0; round < ROUNDS; round++) {
        if (stale) await leaveStaleSocket(file);
        const answers = await Promise.all(contenders.map((each) => each.tell({ listen: file })));
        const winners = contenders.filter((_, i) => answers[i] === null);
        assert.equal(winners.length, 1, `round ${round}: ${JSON.stringify(answers)}`);
        for (const answer of answers) if (answer !== null) assert.match(answer, /another server is \w+ there/);
        assert.equal(await text(connectUnixSocket(file)), String(winners[0]!.child.pid));
        assert.deepEqual(fs.readdirSync(folder), [name]);
        await winners[0]!.tell('close');
        assert.deepEqual(fs.readdirSync(folder), []);
      }
    });
  }

  test('one that is killed in the middle of it is in nobody’s way', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 's');
    const killed = await contender(t);
    assert.equal(await killed.tell({ claim: file }), null);
    const next = await contender(t);
    assert.match((await next.tell({ listen: file }))!, /another server is starting there/);
    const ended = once(killed.child, 'close');
    killed.child.kill('SIGKILL');
    await ended;
    assert.ok(fs.readdirSync(folder).includes(claimName('s')));
    assert.equal(await next.tell({ listen: file }), null);
    assert.equal(await text(connectUnixSocket(file)), String(next.child.pid));
    assert.deepEqual(fs.readdirSync(folder), ['s']);
  });

  test('a claim that a dead process left goes to one of many who ask at once', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(folder, 's');
    for (let round = 0; round < ROUNDS; round++) {
      fs.symlinkSync('.bs-000000000000', path.join(folder, claimName('s')));
      const claims = await Promise.all(Array.from({ length: 8 }, () => claimPath(file)));
      const held = claims.filter((claim) => claim !== null);
      assert.equal(held.length, 1);
      held[0]!.release();
      assert.deepEqual(fs.readdirSync(folder), []);
    }
  });
});
