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
});
