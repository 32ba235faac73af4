import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isReadOnlyFileSystem } from '../../lib/storage/sqlite/file/read-only-mount.ts';

const MOUNTS = `
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 8:2 / /image ro,relatime shared:2 - squashfs /dev/loop0 ro
31 21 8:1 /data /view ro,relatime shared:3 - ext4 /dev/sda1 rw
32 21 8:3 / /disk ro,relatime shared:4 - ext4 /dev/sdb1 ro,errors=remount-ro
33 32 8:4 / /disk/inner rw,relatime shared:5 - xfs /dev/sdc1 rw
34 21 0:50 / /net ro,relatime shared:6 - nfs4 server:/x ro,vers=4.2
35 21 8:5 / /with\\040blank ro - iso9660 /dev/sr0 ro
36 21 8:6 / /covered ro - ext4 /dev/sdd1 ro
37 36 8:7 / /covered rw - ext4 /dev/sde1 rw
38 21 0:60 / /overlay ro - overlay overlay ro,lowerdir=/a
`;

describe('a file system that nobody can write to', () => {
  for (const [file, expected] of [
    ['/image/h.db', true],
    ['/disk/h.db', true],
    ['/with blank/h.db', true],
    ['/h.db', false],
    ['/view/h.db', false],
    ['/disk/inner/h.db', false],
    ['/net/h.db', false],
    ['/covered/h.db', false],
    ['/overlay/h.db', false],
    ['/imagery/h.db', false],
  ] as const) {
    test(`${file}: ${expected ? 'is one' : 'is none, or may be written through another mount or by another machine'}`, () => {
      assert.equal(isReadOnlyFileSystem(file, MOUNTS), expected);
    });
  }

  test('is none where the system does not tell', () => {
    for (const nothing of ['', 'nonsense', '1 2 3 - ext4']) assert.equal(isReadOnlyFileSystem('/h.db', nothing), false);
  });
});
