import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../lib/errors.ts';
import type { Binding } from '../../lib/storage/sqlite/binding.ts';
import { createWriter, type WriteKind } from '../../lib/storage/sqlite/writer.ts';

/** A connection to a file that another program never lets go of. */
function lockedConnection(): { connection: Binding; attempts: () => number } {
  let attempts = 0;
  const connection: Partial<Binding> = {
    async run(sql) {
      if (!sql.startsWith('BEGIN')) return 0;
      attempts++;
      throw new StorageError('storage-busy', 'locked');
    },
    exec: async () => {},
  };
  return { connection: connection as Binding, attempts: () => attempts };
}

const KIND: WriteKind<number, number> = { apply: async (_, ops) => ops };

test('a writer that is drained tries nothing more after its deadline, however much is queued', async () => {
  const { connection, attempts } = lockedConnection();
  const writer = createWriter({ connection, onCommit() {}, onFatal: (error) => assert.fail(error) });
  const run = Array.from({ length: 256 }, (_, i) => i);
  const writes = Array.from({ length: 40 }, () => writer.submit(KIND, run, run.length));
  const slices = Array.from({ length: 40 }, () => writer.slice(async () => 1));
  const refused = [...writes, ...slices].map((each) => assert.rejects(each, StorageError));
  assert.equal(writer.queued, 40 * 256);
  while (attempts() === 0) await new Promise((resolve) => setImmediate(resolve));
  const before = attempts();
  await writer.drain(0);
  await Promise.all(refused);
  // The one under way may be tried once more.
  assert.ok(attempts() <= before + 1, `${attempts() - before} attempts after the deadline`);
  assert.equal(writer.queued, 0);
});
