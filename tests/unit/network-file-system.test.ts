import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { networkFileSystem } from '../../lib/cli/auto/network-file-system.ts';
import { autoPlace, prepare } from '../../lib/cli/auto/place.ts';

const MOUNTS = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
40 22 0:41 / /home/me/far rw,nosuid - fuse.sshfs me@far:/ rw
41 22 0:42 / /home/me/near\\040by rw,nosuid - fuse.mergerfs a:b rw
`;
const on = (type: number, folder = '/x') =>
  networkFileSystem(folder, { statfs: () => ({ type }), mountinfo: () => MOUNTS });

test('network file systems are told by their type', () => {
  assert.equal(on(0x6969), 'NFS');
  assert.equal(on(0xff534d42), 'CIFS');
  // As platforms with a signed word say it.
  assert.equal(on(0xff534d42 | 0), 'CIFS');
  assert.equal(on(0x01021997), '9P');
});

test('local file systems are not', () => {
  for (const ext4OrTmpfsOrBtrfsOrOverlay of [0xef53, 0x01021994, 0x9123683e, 0x794c7630]) {
    assert.equal(on(ext4OrTmpfsOrBtrfsOrOverlay), null);
  }
});

test('behind FUSE the mount’s own type decides', () => {
  assert.equal(on(0x65735546, '/home/me/far/build/cache'), 'fuse.sshfs');
  assert.equal(on(0x65735546, '/home/me/near by/build'), null);
});

test('a private server’s databases are refused on one, and the message names the way out', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const place = autoPlace(folder, undefined);
  const nfs = (asked: string) => (asked === path.join(folder, 'cache') ? 'NFS' : null);
  assert.throws(() => prepare(place, nfs), {
    code: 'config-error',
    message: /cache is on a network file system \(NFS\).* --db-dir/,
  });
  prepare(autoPlace(folder, path.join(folder, 'local')), nfs);
});
