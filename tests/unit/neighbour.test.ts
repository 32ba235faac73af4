import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { controlFolder } from '../../lib/cli/process/control-folder.ts';
import { pidFile, writePidFile } from '../../lib/cli/process/pid-file.ts';
import { ConfigError } from '../../lib/errors.ts';
import { temporaryFolder } from '../helpers.ts';

describe('in a temporary folder that all users share', () => {
  test('a folder for control sockets that is a link, a file, or open to others is not used', (t) => {
    const before = process.env.TMPDIR;
    t.after(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    const shared = temporaryFolder(t);
    process.env.TMPDIR = shared;
    const own = controlFolder();
    assert.equal(path.dirname(own), shared);
    assert.equal(fs.statSync(own).mode & 0o777, 0o700);
    assert.equal(controlFolder(), own, 'found again');

    const refused = (what: string) =>
      assert.throws(controlFolder, (error) => error instanceof ConfigError && error.message.includes(own), what);
    fs.chmodSync(own, 0o770);
    refused('others of the group may put sockets there');
    fs.chmodSync(own, 0o701);
    refused('others may look for sockets there');
    fs.rmdirSync(own);
    const elsewhere = temporaryFolder(t);
    fs.symlinkSync(elsewhere, own);
    refused('a link leads where somebody else wants it to');
    fs.rmSync(own);
    fs.writeFileSync(own, '');
    refused('a file');
  });

  test('a pid file is never written through a link that somebody left in its place', (t) => {
    const shared = temporaryFolder(t);
    const victim = path.join(shared, 'victim');
    fs.writeFileSync(victim, 'precious\n');
    const file = pidFile(shared, '127.0.0.1', 8585);
    fs.symlinkSync(victim, file);
    assert.equal(writePidFile(file, 4711), 'replaced');
    assert.equal(fs.readFileSync(victim, 'utf8'), 'precious\n');
    assert.ok(fs.lstatSync(file).isFile());
    assert.equal(fs.readFileSync(file, 'utf8'), '4711\n');
    assert.deepEqual(fs.readdirSync(shared).sort(), [path.basename(file), 'victim'].sort());
  });
});
