import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { torture } from '../torture/rounds.ts';

/** `npm run torture` is the long version. */
const KILLS = 4;

describe('a server killed under mixed writes of 8 clients', { concurrency: true }, () => {
  for (const syncMode of ['immediate', 'periodic:0.1', 'on_shutdown']) {
    test(`loses nothing it answered, tears no report and gives no PR value twice, in mode ${syncMode}`, async (t) => {
      const answered = await torture(t, { syncMode, kills: KILLS });
      assert.ok(answered > 100, `only ${answered} answers: the load was no load`);
    });
  }
});
