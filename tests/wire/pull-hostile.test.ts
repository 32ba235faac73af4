import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { followOnward } from '../../lib/pull/places.ts';
import { hash, METHOD, serve, temporaryFolder } from './helpers.ts';
import { pull, runJob } from './pull-helpers.ts';

type Args = { readonly table?: string; readonly after: Json };
type Pages = (args: Args) => Json;

const NOTHING = { rows: [], next: null };
const HONEST: Readonly<Record<string, Json>> = {
  'get-db-usage': { usage: { unihashes_v3: { rows: 2 }, outhashes_v2: { rows: 0 } } },
  'database-id': { id: 'abcdefgh-1234' },
  'is-readonly': { readonly: false },
};

/** A server that answers pages of rows as it likes. Resolves to its address. */
async function hostile(t: TestContext, pages: Partial<Record<'unihashes' | 'values' | 'found', Pages>>) {
  const answer = (command: string, args: Args): Json => {
    if (command in HONEST) return HONEST[command]!;
    if (command === 'find-rows') return pages.found?.(args) ?? NOTHING;
    const part = args.table === undefined ? 'values' : args.table === 'unihashes' ? 'unihashes' : null;
    return (part && pages[part]?.(args)) ?? NOTHING;
  };
  const server = net.createServer((socket) => {
    let [rest, inHeaders] = ['', true];
    socket.setEncoding('utf8').on('error', () => {});
    t.after(() => void socket.destroy());
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (inHeaders) inHeaders = line !== '';
        else {
          const [[command, args]] = Object.entries(JSON.parse(line)) as [[string, Args]];
          socket.write(`${JSON.stringify(answer(command, args))}\n`);
        }
      }
    });
  });
  const socket = path.join(temporaryFolder(t), 'hostile');
  await once(server.listen(socket), 'listening');
  t.after(() => void server.close());
  return `unix://${socket}`;
}

const row = (n: number) => [METHOD, hash(n), hash(n)];
const IN_CIRCLES = /leads back to rows that were read already/;

describe('a source that is no honest server', () => {
  for (const [what, pages, error] of [
    ['goes on at the same id for ever', { unihashes: () => ({ rows: [row(1)], next: 1 }) }, /no place to go on from/],
    [
      'goes on at an id before',
      { unihashes: ({ after }) => ({ rows: [row(1)], next: after === 0 ? 9 : 5 }) },
      /no place to go on from/,
    ],
    ['goes on nowhere', { unihashes: () => ({ rows: [], next: 'there' }) }, /no place to go on from/],
    ['has rows of numbers', { unihashes: () => ({ rows: [[1, 2, 3]], next: null }) }, /answers with no rows/],
    ['has a text for rows', { unihashes: () => ({ rows: 'rows', next: null }) }, /answers with no rows/],
    ['answers a list', { unihashes: () => [] }, /answers with no rows/],
    [
      'has values that come round again',
      {
        values: ({ after }) => {
          const value = (after as string[] | null)?.[3] === '2' ? '3' : '2';
          return { rows: [['a-1-r0', 'all', 'c', value]], next: ['a-1-r0', 'all', 'c', value] };
        },
      },
      IN_CIRCLES,
    ],
    ['has a number for values', { values: () => ({ rows: 5, next: null }) }, /answers with no rows/],
  ] as const satisfies readonly (readonly [string, Parameters<typeof hostile>[1], RegExp])[])
    test(`and ${what} has the pull fail, in words`, async (t) => {
      const target = await serve(t);
      const job = await pull(target, { source: await hostile(t, pages) });
      assert.equal(job.state, 'failed');
      assert.match(job.error!, error);
    });

  test('ends a promotion that it would lead in a circle', async (t) => {
    const source = await hostile(t, {
      unihashes: () => NOTHING,
      found: ({ after }) => ({ rows: [], next: after === '1' ? '2' : '1' }),
    });
    const job = await runJob<{ state: string; error: string }>(await serve(t), 'promote', {
      source,
      packages: ['zlib'],
      hashes: true,
    });
    assert.equal(job.state, 'failed');
    assert.match(job.error, IN_CIRCLES);
  });

  test('is followed as long as it comes to new places, and not once round more than three times', () => {
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 300 }), (before, round) => {
        const onward = followOnward('it');
        for (let i = 0; i < before + round; i++) onward(String(i));
        const circle = function* () {
          for (let i = before + round; ; i++) yield String(before + ((i - before) % round));
        };
        let steps = 0;
        assert.throws(() => {
          for (const place of circle()) {
            steps++;
            assert.ok(steps <= 3 * (before + round) + 3, 'it goes on and on');
            onward(place);
          }
        }, IN_CIRCLES);
      }),
    );
  });
});
