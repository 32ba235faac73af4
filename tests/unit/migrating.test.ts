import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openBinding } from '../../lib/storage/sqlite/engine/binding.ts';
import { temporaryFolder } from '../helpers.ts';

const GUIDE = fs.readFileSync(path.join(import.meta.dirname, '../../docs/migrating.md'), 'utf8');

test('the way back to the Rust PR server, as migrating.md has it, lets no value go back', async (t) => {
  const binding = await openBinding(path.join(temporaryFolder(t), 'prserv.db'), 'create');
  t.after(() => binding.close());
  const columns = 'version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL';
  for (const table of ['PRMAIN_nohist', 'PRMAIN_hist'])
    await binding.exec(`CREATE TABLE ${table} (${columns}, value INTEGER, PRIMARY KEY (version, pkgarch, checksum))`);
  await binding.exec(`CREATE TABLE PRMAIN (${columns}, value TEXT, PRIMARY KEY (version, pkgarch, checksum, value));
    INSERT INTO PRMAIN_nohist VALUES ('p', 'all', 'a', 1), ('p', 'all', 'b', 2);
    INSERT INTO PRMAIN_hist VALUES ('p', 'all', 'a', 1);
    INSERT INTO PRMAIN VALUES ('p', 'all', 'a', '1'), ('p', 'all', 'a', '10'), ('p', 'all', 'a', '9'),
      ('p', 'all', 'b', '2'), ('p', 'all', 'c', '11'), ('p', 'all', 'd', '3.1')`);
  await binding.exec(/```sql\n([\s\S]*?)```/.exec(GUIDE)![1]!);
  const rows = (table: string) => binding.all(`SELECT checksum, value FROM ${table} ORDER BY checksum`);
  assert.deepEqual(await rows('PRMAIN_nohist'), [
    { checksum: 'a', value: 10 },
    { checksum: 'b', value: 2 },
    { checksum: 'c', value: 11 },
  ]);
  assert.deepEqual(await rows('PRMAIN_hist'), [
    { checksum: 'a', value: 1 },
    { checksum: 'b', value: 2 },
    { checksum: 'c', value: 11 },
  ]);
});
