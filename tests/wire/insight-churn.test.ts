import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../lib/asyncrpc/wire/messages.ts';
import { refusal, serve } from './helpers.ts';

interface Churn {
  readonly since: string | null;
  readonly new: number | null;
  readonly values: number;
  readonly packages: number;
  readonly near_limit: number;
  readonly more: number;
  readonly recipes: readonly { readonly [key: string]: Json }[];
}

const PROTOCOL = 'PRSERVICE 1.0';

describe('insight-churn', () => {
  test('tells by recipe and architecture how many values there are, skipped and left', async (t) => {
    const client = (await serve(t)).connect(PROTOCOL);
    const pr = (version: string, checksum: string, pkgarch = 'core2-64') =>
      client.ask('get-pr', { version, pkgarch, checksum });
    for (const checksum of ['a', 'b', 'c']) await pr('zlib-1.2-r0', checksum);
    await pr('zlib-1.3-r0', 'a');
    await pr('zlib-1.3-r0', 'a', 'all');
    const far = { version: 'far-1-r0', pkgarch: 'all', checksum: 'x' };
    await client.ask('import-one', { ...far, value: '998999999' });
    await client.ask('import-one', { ...far, checksum: 'y', value: '998999990' });
    const churn = (await client.ask('insight-churn', { sort: 'values' })) as unknown as Churn;
    const shared = { new: null, skipped: 0 };
    assert.deepEqual(churn.recipes, [
      { ...shared, recipe: 'zlib', pkgarch: 'core2-64', versions: 2, values: 4, largest: '2', left: 999_999_997 },
      {
        ...shared,
        recipe: 'far',
        pkgarch: 'all',
        versions: 1,
        values: 2,
        skipped: 8,
        largest: '998999999',
        left: 1_000_000,
      },
      { ...shared, recipe: 'zlib', pkgarch: 'all', versions: 1, values: 1, largest: '0', left: 999_999_999 },
    ]);
    assert.deepEqual(
      [churn.since, churn.new, churn.packages, churn.values, churn.near_limit, churn.more],
      [null, null, 4, 7, 0, 0],
    );
    await pr('far-1-r0', 'z', 'all');
    const left = (await client.ask('insight-churn', { sort: 'left', limit: 1 })) as unknown as Churn;
    assert.deepEqual(
      [left.recipes[0]!.recipe, left.recipes[0]!.left, left.near_limit, left.more],
      ['far', 999_999, 1, 2],
    );
  });

  test('shows hostile names as they are, and refuses what it does not know', async (t) => {
    const client = (await serve(t)).connect(PROTOCOL);
    const version = '<script>\u202e\u001b[31m-1-r0';
    await client.ask('get-pr', { version, pkgarch: '=cmd()', checksum: 'x' });
    const churn = (await client.ask('insight-churn', {})) as unknown as Churn;
    assert.deepEqual(
      churn.recipes.map(({ recipe, pkgarch }) => [recipe, pkgarch]),
      [['<script>\u202e\u001b[31m', '=cmd()']],
    );
    assert.match(refusal(await client.ask('insight-churn', { sort: 'name' })), /sort must be new or /);
    assert.match(refusal(await client.ask('insight-churn', { days: 0 })), /days must be >= 1/);
    assert.match(refusal(await client.ask('insight-churn', { limit: 1001 })), /limit must be <= 1000/);
  });
});
