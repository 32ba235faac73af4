import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { temporaryFolder } from '../wire/helpers.ts';

test('a statement that does not compile fails its call, and the connection goes on and closes', async (t) => {
  const connection = await openBinding(path.join(temporaryFolder(t), 'x.db'), 'create');
  await assert.rejects(connection.all('SELECT place FROM nowhere'), /no such table: nowhere/);
  await assert.rejects(connection.run('DELETE FROM nowhere'), /no such table: nowhere/);
  await connection.exec('CREATE TABLE nowhere (place)');
  assert.deepEqual(await connection.all('SELECT place FROM nowhere'), []);
  await connection.close();
});
