import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { userName } from '../../lib/asyncrpc/transport/passwd.ts';
import { autoPlace, isAt, makeFolder } from '../../lib/cli/auto/place.ts';
import { confLines } from '../../lib/cli/auto/shell.ts';
import { makeFolders } from '../../lib/cli/process/folders.ts';

function temporaryFolder(t: { after(fn: () => void): void }): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

test('the private server of another user is left alone, and its owner named', (t) => {
  const place = autoPlace(temporaryFolder(t), undefined);
  makeFolder(place);
  makeFolder(place);
  const owner = process.getuid!();
  t.mock.method(process as { getuid: () => number }, 'getuid', () => owner + 1);
  assert.throws(() => makeFolder(place), {
    code: 'config-error',
    message: `the private server of ${place.folder} belongs to ${userName(owner)}, who alone can use and stop it (${place.own})`,
  });
});

test('a server is in a place when its socket is the one there, by whatever path', (t) => {
  const folder = temporaryFolder(t);
  const [real, link, other] = ['real', 'link', 'other'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [real, other]) {
    fs.mkdirSync(each);
    fs.writeFileSync(path.join(each, 'hashserve.sock'), '');
  }
  fs.symlinkSync(real, link);
  const status = (at: string) => ({ addresses: [`unix://${at}/hashserve.sock`, '127.0.0.1:1'] });
  assert.ok(isAt(status(link), autoPlace(real, undefined)));
  assert.ok(!isAt(status(other), autoPlace(real, undefined)));
  assert.ok(!isAt(status(path.join(folder, 'gone')), autoPlace(real, undefined)));
});

test('a folder in /proc is refused at once', () => {
  assert.throws(() => makeFolders('/proc/self/nope/deeper', 0o700), /cannot make the folder \/proc\/self\/nope: /);
});

test('local.conf gets the quotes that the value leaves', () => {
  assert.equal(confLines({ A: "it's" }), `A = "it's"\n`);
  assert.equal(confLines({ A: 'a "b"' }), `A = 'a "b"'\n`);
  for (const value of [`'"`, `a$${'{b}'}`, 'end\\'])
    assert.throws(() => confLines({ A: value }), /cannot stand in local\.conf/);
});
