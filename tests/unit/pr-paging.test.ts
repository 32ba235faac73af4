import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InvokeError } from '../../lib/errors.ts';
import type { PrClient } from '../../lib/prserv/client.ts';
import { createPrPaging } from '../../lib/prserv/paging.ts';
import type { PrRow } from '../../lib/prserv/store.ts';
import { createPrServerEnd } from '../../lib/transfer/pr-server.ts';

const rowsOf = (count: number): PrRow[] =>
  Array.from({ length: count }, (_, i) => ({ version: 'v-1-r0', pkgarch: 'all', checksum: `c${i}`, value: String(i) }));

/** A client of a server with these rows, and what it was asked; `knows`: pages too. */
function clientOf(rows: readonly PrRow[], knows: boolean) {
  const asked: (number | 'all')[] = [];
  const client = {
    async exportPage(after: PrRow | null, limit: number, count: boolean) {
      if (!knows) return null;
      asked.push(limit);
      const from = after === null ? 0 : rows.findIndex(({ checksum }) => checksum === after.checksum) + 1;
      const page = rows.slice(from, from + limit);
      return { rows: page, next: page.length < limit ? null : page.at(-1)!, total: count ? rows.length : null };
    },
    async exportRows() {
      asked.push('all');
      return { metainfo: {}, datainfo: rows };
    },
  } as unknown as PrClient;
  return { client, asked };
}

describe('the PR rows of a server', () => {
  for (const knows of [true, false])
    test(`are all read, each once, ${knows ? 'in pages' : 'in one answer where it knows no pages'}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 12 }), async (count, limit) => {
          const rows = rowsOf(count);
          const { client, asked } = clientOf(rows, knows);
          const paging = createPrPaging(client, 'the server');
          const found: PrRow[] = [];
          for (let after: string | null = null; ; ) {
            const page: Awaited<ReturnType<typeof paging.page>> = await paging.page(after, limit);
            assert.ok(page.rows.length <= limit);
            found.push(...page.rows);
            if (page.next === null) break;
            after = page.next;
          }
          assert.deepEqual(found, rows);
          if (knows) assert.ok(!asked.includes('all'), 'never all at once');
          else assert.deepEqual(asked, ['all']);
        }),
      );
    });

  test('are never in one answer while they are copied, counted neither', async () => {
    const { client, asked } = clientOf(rowsOf(2500), true);
    const end = createPrServerEnd(client, 'the server', '');
    assert.equal(await end.count('values'), 2500);
    let rows = 0;
    for (let after: string | null = null; ; ) {
      const slice = await end.slice('values', after, { rows: 5000, bytes: 1 << 22 });
      rows += slice.rows.length;
      if (slice.next === null) break;
      after = slice.next;
    }
    assert.equal(rows, 2500);
    assert.deepEqual(asked, [1, 1000, 1000, 1000]);
  });

  test('of a server that exports nothing are told as such', async () => {
    const client = { exportPage: async () => null, exportRows: async () => ({}) } as unknown as PrClient;
    await assert.rejects(createPrPaging(client, 'h:1').page(null, 10), (error) => {
      assert.ok(error instanceof InvokeError);
      assert.match(error.message, /h:1 is not bakeserv, or an older one/);
      return true;
    });
  });
});
