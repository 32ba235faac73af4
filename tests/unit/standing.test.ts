import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { takeNotifyAddress } from '../../lib/cli/process/service-manager.ts';
import { createStanding } from '../../lib/cli/process/standing.ts';

function standing(t: TestContext, watchdogMs: number | null, isSent = () => true) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const sent: string[] = [];
  let clients = 0;
  const made = createStanding({
    notify: async (...assignments) => {
      sent.push(assignments.join(' '));
      return isSent();
    },
    watchdogMs,
    describe: () => `${clients} clients`,
  });
  return {
    made,
    sent,
    async pass(ms: number) {
      t.mock.timers.tick(ms);
      await Promise.resolve();
    },
    come: () => clients++,
    take: () => sent.splice(0),
  };
}

describe('what a service manager is told', () => {
  test('while a start takes long: again and again that it needs more time, until it is ready', async (t) => {
    const { made, pass, take } = standing(t, null);
    made.starting();
    assert.deepEqual(take(), []);
    await pass(20_000);
    const more = 'EXTEND_TIMEOUT_USEC=60000000 STATUS=Opening the databases';
    assert.deepEqual(take(), [more, more]);
    made.ready();
    await pass(20_000);
    assert.deepEqual(take(), ['READY=1 STATUS=0 clients']);
  });

  test('that the server is alive, at half the time it waits for that, until the server stops', async (t) => {
    const { made, pass, take, come } = standing(t, 30_000);
    made.ready();
    take();
    await pass(14_999);
    assert.deepEqual(take(), []);
    await pass(1);
    assert.deepEqual(take(), ['WATCHDOG=1']);
    come();
    await pass(15_000);
    assert.deepEqual(take(), ['WATCHDOG=1 STATUS=1 clients']);
    made.stopping();
    await pass(60_000);
    assert.deepEqual(take(), ['STOPPING=1 STATUS=Answering what was read, and closing the databases']);
  });

  test('once more soon, where it could not be told that the server is alive', async (t) => {
    let isSent = false;
    const { made, pass, take } = standing(t, 32_000, () => isSent);
    made.ready();
    await pass(16_000);
    take();
    isSent = true;
    await pass(4000);
    assert.deepEqual(take(), ['WATCHDOG=1']);
  });

  test('how many clients there are, seldom and only when that has changed', async (t) => {
    const { made, pass, take, come } = standing(t, null);
    made.ready();
    take();
    await pass(180_000);
    assert.deepEqual(take(), []);
    come();
    come();
    await pass(60_000);
    assert.deepEqual(take(), ['STATUS=2 clients']);
  });
});

test('the address of a service manager is taken out of the environment', () => {
  const take = (env: NodeJS.ProcessEnv) => [takeNotifyAddress(env), Object.keys(env)];
  const own = String(process.pid);
  assert.deepEqual(take({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '30000000', WATCHDOG_PID: own, A: '' }), [
    { socket: '/n', watchdogMs: 30_000 },
    ['A'],
  ]);
  assert.deepEqual(take({ NOTIFY_SOCKET: '@n', SYSTEMD_EXEC_PID: own })[0], { socket: '@n', watchdogMs: null });
  for (const USEC of ['', 'x', '0', '-1']) {
    const env = { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: USEC };
    assert.deepEqual(take(env)[0], { socket: '/n', watchdogMs: null });
  }
  for (const socket of ['', '@', 'relative', 'vsock:2:1'])
    assert.equal(take({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1' })[0], null);
  assert.equal(take({ NOTIFY_SOCKET: '/n', SYSTEMD_EXEC_PID: '1' })[0], null);
});
