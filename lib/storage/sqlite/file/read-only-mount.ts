import fs from 'node:fs';
import path from 'node:path';

/** File systems that only this machine writes to. Others may be read-only here and written elsewhere. */
const LOCAL = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'squashfs',
  'erofs',
  'cramfs',
  'iso9660',
  'udf',
]);

const ESCAPES = /\\([0-7]{3})/g;

/**
 * Whether nobody can write to a file through any mount, because its file system itself is read-only. A mount of a folder
 * that is read-only, as in containers, says nothing about other mounts of the same folder.
 * @param mountinfo the text of /proc/self/mountinfo
 */
export function isReadOnlyFileSystem(file: string, mountinfo = systemMounts()): boolean {
  let best = '';
  let readOnly = false;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    if (!before || !after) continue;
    const point = (before.split(' ')[4] ?? '').replace(ESCAPES, (_, digits) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const [type, , options = ''] = after.split(' ');
    // Of two mounts on one folder the later one hides the other.
    if (!isUnder(file, point) || point.length < best.length) continue;
    best = point;
    readOnly = LOCAL.has(type ?? '') && options.split(',').includes('ro');
  }
  return readOnly;
}

function isUnder(file: string, folder: string): boolean {
  return folder === '/' || file.startsWith(`${folder}${path.sep}`);
}

/** Nothing is known to be read-only if the system does not tell. */
function systemMounts(): string {
  try {
    return fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
