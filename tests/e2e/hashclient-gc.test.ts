import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connectHashClient, type HashClient, parseAddress } from '../../lib/index.ts';
import { digits, openSite, type Site } from './client-helpers.ts';

const METHOD = 'gc-method';

describe('bakeserv-hashclient collects garbage', () => {
  let site: Site;
  let server: HashClient;

  /** Five tasks with unihashes 1 to 5. */
  beforeEach(async () => {
    site = await openSite();
    server = await connectHashClient(parseAddress(site.address));
    for (const number of [1, 2, 3, 4, 5]) {
      const taskhash = digits(number + 100);
      await server.report({ method: METHOD, taskhash, outhash: digits(number + 200), unihash: digits(number) });
    }
  });
  afterEach(async () => {
    server.close();
    await site.close();
  });

  const kept = async () => {
    const numbers = [1, 2, 3, 4, 5];
    const found = await server.unihashesExist(numbers.map(digits));
    return numbers.filter((_, i) => found[i]);
  };
  const sharedState = (folder: string, numbers: readonly number[]) => {
    for (const number of numbers) {
      const inner = path.join(folder, 'universal', digits(number).slice(0, 2));
      fs.mkdirSync(inner, { recursive: true });
      const name = `sstate:zlib:core2-64-oe-linux:1.3.1:r0:core2-64:12:${digits(number)}_package.tar.zst`;
      for (const suffix of ['', '.siginfo']) fs.writeFileSync(path.join(inner, name + suffix), '');
    }
    return folder;
  };

  test('step by step: mark, status, sweep, clean up', async () => {
    assert.equal((await site.hash(['gc-status'])).stdout, 'No Garbage collection in progress\n');
    assert.equal((await site.hash(['gc-mark', 'm', '-w', 'unihash', digits(1)])).stdout, 'New hashes marked: 1\n');
    const lines = `unihash ${digits(2)}\nmethod ${METHOD} unihash ${digits(3)}\n\nunihash ${digits(77)}`;
    assert.equal((await site.hash(['gc-mark-stream', 'm'], { stdin: lines })).stdout, 'New hashes marked: 2\n');
    assert.equal(
      (await site.hash(['gc-status'])).stdout,
      'Current Mark: m\nTotal hashes to keep: 3\nTotal hashes to remove: 2\n',
    );
    assert.equal((await site.hash(['gc-status', '--json'])).stdout, '{"mark": "m", "keep": 3, "remove": 2}\n');
    const other = await site.hash(['gc-sweep', 'other']);
    assert.deepEqual([other.status, other.stderr], [1, "ERROR: 'other' is not the current mark. Refusing to sweep\n"]);
    assert.equal((await site.hash(['gc-sweep', 'm'])).stdout, 'Removed 2 rows\n');
    assert.equal((await site.hash(['clean-unused', '3600'])).stdout, 'Removed 0 rows\n');
    assert.equal((await site.hash(['clean-unused', '0'])).stdout, 'Removed 2 rows\n');
    assert.deepEqual(await kept(), [1, 2, 3]);
  });

  test('gc-mark-stream names the line that is wrong', async () => {
    const { status, stderr } = await site.hash(['gc-mark-stream', 'm'], { stdin: `unihash ${digits(1)}\nunihash\n` });
    assert.equal(status, 1);
    assert.equal(stderr, 'ERROR: standard input, line 2: expected "column value column value …"\n');
  });

  test('gc keeps what the shared-state folder holds, links to folders included', async () => {
    const folder = sharedState(path.join(site.folder, 'sstate'), [1, 2]);
    fs.symlinkSync(sharedState(path.join(site.folder, 'mirror'), [4]), path.join(folder, 'mirror'));
    const { status, stdout, stderr } = await site.hash(['gc', '--sstate-dir', folder]);
    assert.equal(stderr, '3 named, 3 hashes to keep, 2 to remove\n');
    assert.equal(stdout, 'Removed 2 rows\nRemoved 2 unused outhash rows\n');
    assert.equal(status, 0);
    assert.deepEqual(await kept(), [1, 2, 4]);
    assert.equal((await server.gcStatus()).mark, null);
  });

  test('gc keeps what a list names, from a file or standard input', async () => {
    const list = `# in use\n${digits(1)}\nunihash ${digits(2)} method ${METHOD}\n${digits(3)}\n${digits(4)}\n`;
    const dry = await site.hash(['gc', '--keep-from', site.file('keep', list), '--dry-run']);
    assert.deepEqual([dry.status, dry.stdout], [0, 'Would remove 1 rows\n']);
    assert.equal((await server.gcStatus()).mark, null, 'a dry run must begin no collection');
    assert.deepEqual(await kept(), [1, 2, 3, 4, 5]);
    const real = await site.hash(['gc', '--keep-from', '-', '--max-age', '3600', '--json'], { stdin: list });
    const { mark, ...counts } = JSON.parse(real.stdout);
    assert.deepEqual(counts, { named: 4, keep: 4, remove: 1, removed: 1, unused: 0 });
    assert.match(mark, /^gc-\d{4}-/);
    assert.deepEqual(await kept(), [1, 2, 3, 4]);
  });

  test('gc that would remove more than half is refused, and done with --yes', async () => {
    const args = ['gc', '--keep-from', site.file('keep', `${digits(1)}\n`), '--mark', 'small'];
    const refused = await site.hash(args);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /ERROR: that would remove 4 of 5 hashes, more than half: nothing was removed\./);
    assert.deepEqual(await kept(), [1, 2, 3, 4, 5]);
    assert.equal((await site.hash([...args, '--yes'])).stdout, 'Removed 4 rows\nRemoved 4 unused outhash rows\n');
    assert.deepEqual(await kept(), [1]);
  });

  test('gc removes nothing more than it told of, whatever another collection does before its sweep', async () => {
    // Between the counts and the sweep another collection takes a row over, and this one's mark is set again.
    const before = async () => {
      await server.gcMark('other', { unihash: digits(1) });
      await server.gcMark('mine', { unihash: digits(2) });
    };
    const proxy = net.createServer((client) => {
      const upstream = net.connect(path.join(site.folder, 'bakeserv.sock'));
      upstream.pipe(client);
      client.on('data', async (data) => {
        if (data.includes('"gc-sweep"')) await before();
        upstream.write(data);
      });
      client.on('end', () => upstream.end());
    });
    const address = path.join(site.folder, 'proxy');
    await new Promise<void>((resolve) => proxy.listen(address, resolve));
    const list = site.file('keep', [1, 2, 3, 4].map(digits).join('\n'));
    const args = ['--address', `unix://${address}`, 'gc', '--keep-from', list, '--mark', 'mine'];
    const { status, stderr } = await site.hash(args);
    await new Promise((resolve) => proxy.close(resolve));
    assert.match(stderr, /4 named, 4 hashes to keep, 1 to remove/);
    assert.match(stderr, /ERROR: Sweeping would remove 2 rows now, more than the 1 that were shown/);
    assert.equal(status, 1);
    assert.deepEqual(await kept(), [1, 2, 3, 4, 5]);
  });

  test('gc with nothing to keep, or a folder that cannot be read, removes nothing', async () => {
    fs.mkdirSync(path.join(site.folder, 'empty'));
    const empty = await site.hash(['gc', '--sstate-dir', path.join(site.folder, 'empty'), '--yes']);
    assert.equal(empty.status, 1);
    assert.match(empty.stderr, /empty names nothing to keep: nothing was removed/);
    const missing = await site.hash(['gc', '--sstate-dir', path.join(site.folder, 'missing'), '--yes']);
    assert.match(missing.stderr, /ERROR: cannot read the shared-state folder .*missing: no such file or directory/);
    assert.equal((await site.hash(['gc'])).status, 2);
    assert.deepEqual(await kept(), [1, 2, 3, 4, 5]);
  });

  test('get-db-usage counts the rows of each table', async () => {
    const columns = (name: string, rows: number | string) => `${name.padEnd(20)} | ${rows}\n`;
    assert.equal(
      (await site.hash(['get-db-usage'])).stdout,
      columns('Table name', 'Rows') +
        columns('config', 0) +
        columns('outhashes_v2', 5) +
        columns('unihashes_v3', 5) +
        columns('users', 0) +
        'Total rows: 10\n',
    );
  });
});
