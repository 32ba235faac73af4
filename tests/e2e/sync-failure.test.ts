import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getPr, report, serve, storedUnihash, temporaryFolder } from './helpers.ts';
import { cannotMount, cannotTrace } from './needs.ts';
import { fill, smallDisk } from './small-disk.ts';
import { trace } from './tracing.ts';

const STOPPED_BY_DATABASE = { status: 3, signal: null };
const SYNCS_FAIL = ['-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO'];

describe('a disk whose syncs fail', { concurrency: true, skip: cannotTrace() }, () => {
  for (const syncMode of ['immediate', 'periodic:0.1', 'on_shutdown']) {
    test(`ends the server with status 3 in mode ${syncMode}`, async (t) => {
      const folder = temporaryFolder(t);
      const server = await serve(t, { folder, args: ['--sync-mode', syncMode] });
      const client = await server.hash();
      const unihash = await report(client, 'before');
      await trace(t, server.child.pid!, SYNCS_FAIL);
      if (syncMode === 'immediate') {
        await assert.rejects(report(client, 'after'));
        await assert.rejects(report(client, 'later'));
      } else {
        await report(client, 'after').catch(() => {});
        if (syncMode === 'on_shutdown') server.child.kill('SIGTERM');
      }
      assert.deepEqual(await server.ended, STOPPED_BY_DATABASE, server.stderr());
      assert.match(server.stderr(), /error: .*hashserv\.db/);
      // Both files hold writes that no checkpoint has seen: each is named, whichever fails first.
      if (syncMode === 'on_shutdown') assert.match(server.stderr(), /error: .*prserv\.db/);
      if (syncMode !== 'immediate') return;
      const next = await serve(t, { folder });
      assert.equal(await storedUnihash(await next.hash(), 'before'), unihash);
    });
  }

  test('answers no get-pr as stored', async (t) => {
    const folder = temporaryFolder(t);
    const server = await serve(t, { folder });
    const client = await server.pr();
    assert.equal(await getPr(client, 'p', 'a'), '0');
    await trace(t, server.child.pid!, SYNCS_FAIL);
    await assert.rejects(getPr(client, 'p', 'b'));
    assert.deepEqual(await server.ended, STOPPED_BY_DATABASE);
  });
});

describe('a nearly full disk whose syncs fail', { concurrency: true, skip: cannotTrace() || cannotMount() }, () => {
  for (const syncMode of ['immediate', 'on_shutdown']) {
    test(`ends the server with status 3 in mode ${syncMode}: no failed sync is taken for want of space`, async (t) => {
      const databases = smallDisk(t, 16);
      const server = await serve(t, { folder: temporaryFolder(t), databases, args: ['--sync-mode', syncMode] });
      const client = await server.hash();
      // The log is made to grow and begun anew, so that the next writes need no space.
      await report(client, 'before', { outhash_siginfo: 'x'.repeat(1_000_000) });
      fill(databases, 100 * 1024);
      await trace(t, server.child.pid!, SYNCS_FAIL);
      if (syncMode === 'immediate') await assert.rejects(report(client, 'after'));
      else server.child.kill('SIGTERM');
      assert.deepEqual(await server.ended, STOPPED_BY_DATABASE, server.stderr());
      assert.match(server.stderr(), /error: .*syncing the database failed .*hashserv\.db/);
    });
  }
});
