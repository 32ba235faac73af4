import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fakeUpstream } from '../wire/fake-upstream.ts';
import { hash, METHOD, serve, temporaryFolder } from './helpers.ts';

/** `UPSTREAM_MISSES=1000000` for the full count. */
const LOOKUPS = Number(process.env.UPSTREAM_MISSES ?? 200_000);
const CLIENTS = 10;
const GROUP = 2000;

test(`memory stays bounded while ${LOOKUPS} look-ups miss against a hanging upstream`, async (t) => {
  const fake = await fakeUpstream(t, 'hanging mid-stream');
  const folder = temporaryFolder(t);
  const args = ['--hashserv-upstream', fake.address, '--upstream-timeout', '0.5'];
  const server = await serve(t, { folder, args });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.hash()));
  const resident = () => {
    const status = fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) / 1024;
  };
  const before = resident();
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (next < LOOKUPS) {
        const lines = Array.from({ length: GROUP }, () => `${METHOD} ${hash(String(next++))}`);
        const answers = await client.stream('get-stream', lines);
        assert.equal(answers.length, GROUP);
        assert(answers.every((answer) => answer === ''));
      }
    }),
  );
  for (const client of clients) client.close();
  const grown = resident() - before;
  assert(grown < 120, `the server grew by ${grown.toFixed(0)} MiB`);
  t.diagnostic(`the server grew by ${grown.toFixed(0)} MiB`);
});
