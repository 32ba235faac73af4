import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { hash, METHOD, refusal, serve } from './helpers.ts';

const report = (n: number) => ({ method: METHOD, taskhash: `t${n}`, outhash: `o${n}`, unihash: hash(n) });

describe('insights', () => {
  test('are answered on the connection of the one who asks, with the time they were made at', async (t) => {
    const client = (await serve(t)).connect();
    for (let n = 1; n <= 3; n++) await client.ask('report', report(n));
    const answer = (await client.ask('insight-age', {})) as { [key: string]: Json };
    const [month] = answer.months as { month: string; reports: number }[];
    assert.equal(month!.reports, 3);
    assert.equal(month!.month, new Date().toISOString().slice(0, 7));
    assert.ok(Math.abs(Date.parse(answer.made as string) - Date.now()) < 60_000);
    assert.equal(typeof answer.seconds, 'number');
  });

  test('are given again as they are to whoever asks the same, and not to who asks something else', async (t) => {
    const server = await serve(t);
    const client = server.connect();
    const first = await client.ask('insight-age', {});
    await client.ask('report', report(1));
    assert.deepEqual(await server.connect().ask('insight-age', { limit: 100, more: 'ignored' }), first);
    const other = (await client.ask('insight-age', { limit: 7 })) as { months: Json[] };
    assert.equal(other.months.length, 1);
  });

  test('are worked out each time without --insight-cache', async (t) => {
    const client = (await serve(t, { flags: { 'insight-cache': '0' } })).connect();
    const reports = async () => ((await client.ask('insight-age', {})) as { months: Json[] }).months.length;
    assert.equal(await reports(), 0);
    await client.ask('report', report(1));
    assert.equal(await reports(), 1);
  });

  test('refuse what is no limit and no age', async (t) => {
    const client = (await serve(t)).connect();
    assert.match(refusal(await client.ask('insight-age', { limit: 0 })), /insight-age: limit must be >= 1/);
    assert.match(refusal(await client.ask('insight-age', { limit: 1001 })), /limit must be <= 1000/);
    assert.match(
      refusal(await client.ask('insight-age', { max_age_seconds: 'old' })),
      /max_age_seconds must be number/,
    );
    assert.deepEqual(await client.ask('ping', {}), { alive: true });
  });

  test('name tasks with several outputs and what differs in two of them, whatever clients called them', async (t) => {
    const client = (await serve(t)).connect();
    const PN = '<script>\u202e\u0000'.slice(0, -1);
    const checksum = (n: number) => String(n).repeat(64);
    const siginfo = (n: number) => `M\n1\n-rw- 1 ${checksum(n)} ./usr/<b>\u202e\n-rw- 1 ${checksum(0)} ./etc\n`;
    for (const n of [1, 2]) {
      const more = { PN, task: 'do_package', owner: 'anna', outhash_siginfo: siginfo(n) };
      await client.ask('report', { ...report(1), outhash: `o${n}`, ...more });
    }
    const answer = (await client.ask('insight-unstable', { PN })) as { tasks: { [key: string]: Json }[] };
    assert.equal(answer.tasks.length, 1);
    const { first: _, last: __, ...task } = answer.tasks[0]!;
    const about = { PN, task: 'do_package', method: METHOD, taskhash: 't1' };
    assert.deepEqual(task, { ...about, outputs: 2, siginfo: 2, owners: ['anna'], more_owners: 0 });
    assert.deepEqual(((await client.ask('insight-unstable', { PN: 'other' })) as typeof answer).tasks, []);
    const diff = (await client.ask('insight-diff', { taskhash: 't1' })) as { [key: string]: Json };
    assert.deepEqual(diff.counts, { content: 1 });
    assert.deepEqual(
      (diff.entries as { path: string }[]).map(({ path }) => path),
      ['./usr/<b>\u202e'],
    );
    assert.match(refusal(await client.ask('insight-diff', { taskhash: 't9' })), /no output of a task t9 is known/);
    assert.match(refusal(await client.ask('insight-diff', {})), /taskhash is missing/);
    assert.match(
      refusal(await client.ask('insight-unstable', { since: 'yesterday' })),
      /since must be a time in UTC such as 2026-11, /,
    );
  });

  test('tell what was found equal', async (t) => {
    const client = (await serve(t)).connect();
    for (const n of [1, 2, 3])
      await client.ask('report', { ...report(n), outhash: 'same', PN: 'zlib', task: 'do_compile' });
    for (const n of [4, 5]) await client.ask('report', { ...report(n), PN: 'busybox' });
    const answer = (await client.ask('insight-equivalences', {})) as { [key: string]: Json };
    const day = new Date().toISOString().slice(0, 10);
    assert.deepEqual(answer.total, { found: 2, unihashes: 1, not_rebuilt_estimate: 2 });
    assert.deepEqual(answer.days, [{ day, found: 2 }]);
    assert.deepEqual(answer.never, [{ PN: 'busybox', task: null, reports: 2 }]);
    const [recipe] = answer.recipes as { PN: string; found: number; reports: number }[];
    assert.deepEqual([recipe!.PN, recipe!.reports, recipe!.found], ['zlib', 3, 2]);
  });

  test('are told of while they are worked out, by both services', async (t) => {
    const server = await serve(t, { flags: { 'insight-cache': '0' } });
    const doors = [server.connect(), server.connect('PRSERVICE 1.0')];
    const asker = server.connect();
    for (let n = 1; n <= 50; n++) await asker.ask('report', report(n));
    for (const door of doors) {
      assert.deepEqual(await door.ask('insight-status', {}), { running: null, waiting: 0 });
      for (let seen = false; !seen; ) {
        const answer = asker.ask('insight-age', {});
        const { running } = (await door.ask('insight-status', {})) as {
          running: { name: string; share: number; seconds: number } | null;
        };
        seen = running !== null;
        if (running) {
          assert.equal(running.name, 'age');
          assert.ok(running.share >= 0 && running.share <= 1 && running.seconds >= 0);
          assert.deepEqual(Object.keys(running), ['name', 'share', 'seconds']);
        }
        await answer;
      }
    }
  });

  test('end when the one who asked hangs up, and the next is answered', async (t) => {
    const server = await serve(t, { flags: { 'insight-cache': '0' } });
    const [leaver, client] = [server.connect(), server.connect()];
    for (let n = 1; n <= 50; n++) await client.ask('report', report(n));
    leaver.send(`${JSON.stringify({ 'insight-age': {} })}\n`);
    leaver.close();
    assert.equal(((await client.ask('insight-age', {})) as { months: { reports: number }[] }).months[0]!.reports, 50);
  });
});
