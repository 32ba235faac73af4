import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getTask } from '../../lib/hashserv/commands/read-through.ts';
import type { HashContext } from '../../lib/hashserv/context.ts';
import type { HashStore } from '../../lib/hashserv/store.ts';
import type { HashUpstream } from '../../lib/hashserv/upstream/upstream.ts';
import { SILENT } from '../../lib/log.ts';
import { TaskLookups } from '../../lib/meter/task-lookups.ts';
import { hash, METHOD } from '../helpers.ts';

test('of a row of the upstream its unihash is stored first: an outhash row is never without one', async () => {
  const row = { id: 1, method: METHOD, taskhash: 't1', outhash: 'o1', unihash: hash(1) };
  for (const failing of ['reportEquivalent', 'keepOuthashes']) {
    const done: string[] = [];
    const write = (name: string) => async () => {
      if (name === failing) throw new Error('the store fails here');
      done.push(name);
      return [];
    };
    const store: Partial<HashStore> = {
      readOnly: false,
      tasks: async () => [null],
      reportEquivalent: write('reportEquivalent') as never,
      keepOuthashes: write('keepOuthashes') as never,
    };
    const upstream: Partial<HashUpstream> = { task: async () => row };
    const figures = { lookups: new TaskLookups() };
    const context = { store, upstream, figures, log: SILENT } as unknown as HashContext;
    const answer = await getTask(context, METHOD, 't1');
    assert.ok(answer, 'a hit is an answer also where it cannot be stored');
    assert.deepEqual(done, failing === 'reportEquivalent' ? [] : ['reportEquivalent']);
  }
});
