import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallestOf } from '../../scripts/passed.ts';

test('of several measurements of a request the smallest counts, files and functions of the same one', () => {
  const [quiet, disturbed] = [
    { files: 39, functions: 176 },
    { files: 38, functions: 201 },
  ];
  assert.deepEqual(smallestOf([disturbed, quiet, disturbed]), quiet);
  assert.deepEqual(smallestOf([{ files: 40, functions: 176 }, quiet]), quiet);
  assert.throws(() => smallestOf([]), /nothing was measured/);
});
