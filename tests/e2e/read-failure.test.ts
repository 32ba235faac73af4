import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type Context, field, getPr, report, reportOf, serve, storedUnihash, temporaryFolder } from './helpers.ts';
import { cannotTrace } from './needs.ts';
import { openOther } from './sqlite.ts';
import { trace } from './tracing.ts';

const STOPPED_BY_DATABASE = { status: 3, signal: null };

const COMMITS = [
  ['hashserv.db', "INSERT INTO config (name) VALUES ('theirs')"],
  ['prserv.db', "INSERT INTO PRMAIN VALUES ('theirs', 'all', 'c', '1')"],
] as const;

/** A server with a stored report and a PR value, whose readers have nothing in memory. */
async function served(t: Context) {
  const folder = temporaryFolder(t);
  // One thread: strace counts the calls of each by itself.
  const server = await serve(t, { folder, under: ['env', 'UV_THREADPOOL_SIZE=1'] });
  const [client, prClient] = [await server.hash(), await server.pr()];
  const unihash = await report(client, 'known');
  await getPr(prClient, 'p', 'c');
  /** A read that is not answered from memory. The first one learns what tables there are. */
  const read = async () => {
    const { method, taskhash, outhash } = reportOf('known');
    return field(
      await client.invoke('get-outhash', { method: method!, taskhash: taskhash!, outhash: outhash! }),
      'unihash',
    );
  };
  await read();
  // Commits of another program: whatever was read before is read again.
  for (const [name, sql] of COMMITS) {
    const other = await openOther(t, path.join(folder, name));
    await other.exec(sql);
    await other.close();
  }
  /** Has the server's reads of the database fail, those that `when` says (strace's words). */
  const failReads = (name: string, when: string) => {
    const files = [name, `${name}-wal`].flatMap((each) => ['-P', path.join(folder, each)]);
    const inject = `inject=pread64:error=EIO:when=${when}`;
    return trace(t, server.child.pid!, ['-o', '/dev/null', ...files, '-e', 'trace=pread64', '-e', inject]);
  };
  return { folder, server, client, prClient, unihash, read, failReads };
}

describe('a disk on which reads fail', { concurrency: true, skip: cannotTrace() }, () => {
  test('once: the read is tried again and answered, and the log says so', async (t) => {
    const { server, client, unihash, read, failReads } = await served(t);
    await failReads('hashserv.db', '1');
    assert.equal(await read(), unihash);
    await server.logged(/warn: reading the database failed, and did not when it was tried again/);
    assert.equal(await report(client, 'after'), await storedUnihash(client, 'after'));
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr());
  });

  test('once, in a write: it is tried again, and stored once', async (t) => {
    const { server, prClient, failReads } = await served(t);
    await failReads('prserv.db', '1');
    assert.equal(await getPr(prClient, 'p', 'd'), '1');
    await server.logged(/warn: reading the database failed, and did not when it was tried again/);
    assert.equal(await getPr(prClient, 'p', 'e'), '2');
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr());
  });

  test('for ever: the server ends with status 3, and says that the file cannot be read, not that it is damaged', async (t) => {
    const { folder, server, unihash, read, failReads } = await served(t);
    await failReads('hashserv.db', '1+');
    await assert.rejects(read());
    assert.deepEqual(await server.ended, STOPPED_BY_DATABASE);
    assert.match(server.stderr(), /error: reading the database failed twice: the file is being checked/);
    assert.match(
      server.stderr(),
      /the server stops error=(reading the database failed|the database file cannot be read)/,
    );
    const next = await serve(t, { folder });
    assert.equal(await storedUnihash(await next.hash(), 'known'), unihash);
  });
});
