import fs from 'node:fs';
import path from 'node:path';

/** File systems that only this machine writes to. Of others, what is read-only here may be written elsewhere. */
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
 * Whether nobody can write to a file, through whichever mount: its file system is itself read-only. A mount of a folder
 * that is read-only, as containers have them, says nothing of other mounts of the same folder.
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
    // Of two mounts on one folder the later one covers the other.
    if (!isUnder(file, point) || point.length < best.length) continue;
    best = point;
    readOnly = LOCAL.has(type ?? '') && options.split(',').includes('ro');
  }
  return readOnly;
}

function isUnder(file: string, folder: string): boolean {
  return folder === '/' || file.startsWith(`${folder}${path.sep}`);
}

/** Where the system does not tell, nothing is known to be read-only. */
function systemMounts(): string {
  try {
    return fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
