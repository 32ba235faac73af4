import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { claimName, claimPath } from '../../lib/asyncrpc/transport/unix/claim.ts';

const NOBODY = 65_534;
const MODULE = path.join(import.meta.dirname, '../../dist/lib/asyncrpc/transport/unix/claim.js');

function sharedFolder(t: TestContext, mode: number): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  fs.chmodSync(folder, mode);
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/** Whether another user than the one whose files these are gets the claim: a process without rights, when we are root. */
function othersClaim(target: string): string {
  const script = `const { claimPath } = await import(${JSON.stringify(MODULE)});
    const claim = await claimPath(${JSON.stringify(target)}); console.log(claim ? 'claimed' : 'refused'); claim?.release();`;
  const other = process.getuid!() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: '/',
    ...other,
  });
  assert.equal(stderr, '');
  return stdout.trim();
}

describe('a claim that another user left in a shared folder', () => {
  test('is in nobody’s way where its socket cannot be asked, once it is older than claims are held', async (t) => {
    const folder = sharedFolder(t, 0o777);
    const guard = '.bs-000000000001';
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(path.join(folder, guard), resolve));
    t.after(() => void server.close());
    fs.chmodSync(path.join(folder, guard), 0);
    const link = path.join(folder, claimName('s', folder));
    fs.symlinkSync(guard, link);
    assert.equal(othersClaim(path.join(folder, 's')), 'refused');
    const before = Date.now() / 1000 - 120;
    fs.lutimesSync(link, before, before);
    assert.equal(othersClaim(path.join(folder, 's')), 'claimed');
  });

  test('can be asked whether its holder lives by every user', async (t) => {
    const folder = sharedFolder(t, 0o777);
    const claim = await claimPath(path.join(folder, 's'));
    const guard = fs.readlinkSync(path.join(folder, claimName('s', folder)));
    assert.equal(fs.statSync(path.join(folder, guard)).mode & 0o666, 0o666);
    assert.equal(othersClaim(path.join(folder, 's')), 'refused');
    claim!.release();
    assert.equal(othersClaim(path.join(folder, 's')), 'claimed');
  });

  test('and that cannot be removed, as in /tmp, is not this user’s', async (t) => {
    const folder = sharedFolder(t, 0o1777);
    const mine = claimName('s', folder);
    assert.ok(mine.endsWith(`-${process.getuid!()}`));
    const theirs = mine.replace(/-\d+$/, '-99999');
    for (const name of [theirs, claimName('s')]) fs.symlinkSync('.bs-000000000002', path.join(folder, name));
    const claim = await claimPath(path.join(folder, 's'));
    assert.ok(claim);
    assert.equal(await claimPath(path.join(folder, 's')), null);
    claim.release();
    assert.deepEqual(fs.readdirSync(folder).sort(), [theirs, claimName('s')].sort());
  });
});
