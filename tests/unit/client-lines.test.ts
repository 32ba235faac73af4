import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readTasks } from '../../lib/cli/client/task-lines.ts';
import { type NumberedLine, readLines } from '../../lib/files/lines.ts';

function folderFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-lines-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the lines of a named pipe, as a shell makes for <(command), are read as those of a file', async (t) => {
  const pipe = path.join(folderFor(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Opening a pipe waits for the other end.
  spawn('sh', ['-c', 'printf "one\\ntwo\\nthree" > "$1"', 'sh', pipe]);
  const lines: NumberedLine[] = [];
  for await (const group of readLines(pipe)) lines.push(...group);
  assert.deepEqual(lines, [
    { text: 'one', number: 1 },
    { text: 'two', number: 2 },
    { text: 'three', number: 3 },
  ]);
});

test('a file of tasks may have empty lines and comments; a line that no server takes is named', async (t) => {
  const file = path.join(folderFor(t), 'tasks');
  const read = async (text: string) => {
    fs.writeFileSync(file, text);
    const tasks: string[] = [];
    for await (const group of readTasks(file)) tasks.push(...group);
    return tasks;
  };
  assert.deepEqual(await read('# tasks\nm a\n\nm b'), ['m a', 'm b']);
  assert.deepEqual(await read('#\n\n'), []);
  for (const bad of ['m', 'm  a', 'm a b', 'm \u0007', `m ${'a'.repeat(257)}`]) {
    await assert.rejects(read(`m a\n${bad}\nm c\n`), /tasks, line 2: expected "method taskhash"$/);
  }
});
