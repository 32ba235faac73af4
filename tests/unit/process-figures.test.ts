import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createProcessFigures } from '../../lib/metrics/process.ts';
import { temporaryFolder } from '../helpers.ts';

test('what the system says of files is asked for again once it is older than whoever asks puts up with', async (t) => {
  const file = path.join(temporaryFolder(t), 'a.db');
  const figures = createProcessFigures([file]);
  const bytes = () => figures.files.get(file)?.databaseBytes;
  assert.equal(bytes(), undefined);
  fs.writeFileSync(file, '12345');
  await figures.refresh(60_000);
  assert.equal(bytes(), 5, 'the first asks in any case');
  fs.appendFileSync(file, '678');
  await figures.refresh(60_000);
  assert.equal(bytes(), 5);
  await figures.refresh(0);
  assert.equal(bytes(), 8);
});
