import fs from 'node:fs';

/** `f_type` of statfs(2) for file systems whose locks and shared memory are not visible to other machines. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x01021997, '9P'],
]);

const FUSE = 0x65735546;
/** FUSE carries local file systems too; these are network ones. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|glusterfs|ceph|ceph-fuse|s3fs|rclone|goofys|gcsfuse|davfs|cifs|smbnetfs|juicefs|curlftpfs)/i;

/** What is asked of the system; tests replace it. */
export interface Mounts {
  statfs(folder: string): { readonly type: number };
  /** The text of /proc/self/mountinfo. */
  mountinfo(): string;
}

const SYSTEM: Mounts = {
  statfs: (folder) => fs.statfsSync(folder),
  mountinfo: () => fs.readFileSync('/proc/self/mountinfo', 'utf8'),
};

/** The name of the network file system that a folder is on, or null on a local one (or where the system cannot tell). */
export function networkFileSystem(folder: string, mounts: Mounts = SYSTEM): string | null {
  try {
    // The type is 32 bits, and negative where the platform's word is signed.
    const type = mounts.statfs(folder).type >>> 0;
    if (type === FUSE) return networkFuse(folder, mounts.mountinfo());
    return NETWORK_TYPES.get(type) ?? null;
  } catch {
    return null;
  }
}

function networkFuse(folder: string, mountinfo: string): string | null {
  let found = { point: '', type: '' };
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const point = before?.split(' ')[4]?.replaceAll('\\040', ' ');
    if (!point || !after) continue;
    const inside = folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (inside && point.length >= found.point.length) found = { point, type: after.split(' ')[0]! };
  }
  return NETWORK_FUSE.test(found.type) ? found.type : null;
}
