import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeUnpublished, type PullResult } from '../../lib/cli/publish/text.ts';

test('a publication that ends half-way says that what came in is there, and one that is refused that nothing is', () => {
  const counts = { new: 0, equal: 3, differing: 0, refused: 0 };
  const hashes = { unihashes: counts, outhashes: counts };
  const prs = { packages: 1, new: 1, equal: 0, conflicts: 0, raised: 0, stored: 0 };
  const named = { conflict_rows: [], raised_rows: [], lifted_rows: [] };
  const result: PullResult = { dry_run: false, on_conflict: 'fail', prs: { ...prs, ...named }, hashes: null };
  const nothing = /^nothing was published: the stage is gone$/;
  const a = (more: Partial<PullResult>) => describeUnpublished({ ...result, ...more }, 'the stage is gone');
  assert.match(a({}), nothing);
  assert.match(a({ hashes }), nothing);
  const some = /^only what is told above was published: the stage is gone; the same command goes on/;
  assert.match(a({ prs: { ...prs, ...named, stored: 1 } }), some);
  assert.match(a({ hashes: { ...hashes, unihashes: { ...counts, new: 60_000 } } }), some);
  assert.match(a({ dry_run: true, hashes: { ...hashes, unihashes: { ...counts, new: 60_000 } } }), nothing);
});
