import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { PrRow } from '../../lib/prserv/store.ts';
import { openSite, type Site } from './client-helpers.ts';
import { oldPrServer } from './old-pr-server.ts';

const HEADER = 'version,pkgarch,checksum,value\n';
const csv = (rows: readonly string[]) => `${HEADER}${rows.map((row) => `${row}\n`).join('')}`;
const numbered = (count: number): PrRow[] =>
  Array.from({ length: count }, (_, i) => ({ version: 'zlib-1', pkgarch: 'all', checksum: `c${i}`, value: String(i) }));

describe('bakeserv-prclient import and export', { concurrency: 2 }, () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  test('an import of several files stores all of them or, for one bad row in the last, nothing', async () => {
    const good = site.file('good.csv', csv(['all-1,x,c,1', 'all-1,x,d,2']));
    const bad = site.file('bad.csv', csv(['all-1,x,e,3', 'all-1,x,f,999999999']));
    const refused = await site.pr(['import', good, bad]);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.equal(
      refused.stderr,
      `${bad}, line 3: value 999999999 leaves fewer than 1,000,000 values below the limit of 9 digits; a package could soon not go on\n` +
        `ERROR: ${good}, ${bad} have 1 error: nothing was imported; --keep-going imports the rest\n`,
    );
    assert.equal((await site.pr(['history', 'all-1', 'x'])).stdout, '');
    const rest = await site.pr(['import', '--keep-going', good, bad]);
    assert.deepEqual([rest.status, rest.stdout], [1, 'Stored:        3\nAlready there: 0\nRefused:       1\n']);
    assert.equal((await site.pr(['history', 'all-1', 'x'])).stdout, 'c 1\nd 2\ne 3\n');
  });

  test('import-one refuses a value after which a package could not go on', async () => {
    const { status, stderr } = await site.pr(['import-one', 'one-1', 'x', 'c', '999999999']);
    assert.equal(status, 1);
    assert.match(stderr, /^ERROR: import-one: value 999999999 leaves fewer than 1,000,000 values below the limit/);
    assert.equal((await site.pr(['import-one', 'one-1', 'x', 'c', '998999999'])).status, 0);
  });

  test('what was imported by mistake is shown, and removed', async () => {
    const file = site.file('mistake.csv', csv(['oops-1,x,c,7', 'oops-1,x,c,900000000', 'oops-1,y,d,1']));
    await site.pr(['import', file]);
    const which = ['--version', 'oops-1', '--value', '900000000'];
    assert.equal(
      (await site.pr(['remove', ...which, '--dry-run'])).stdout,
      'oops-1 x c 900000000\nWould remove 1 row(s)\n',
    );
    assert.equal((await site.pr(['max-package-pr', 'oops-1', 'x'])).stdout, '900000000\n');
    assert.equal((await site.pr(['remove', ...which])).stdout, 'Removed 1 row(s)\n');
    assert.equal((await site.pr(['max-package-pr', 'oops-1', 'x'])).stdout, '7\n');
    assert.equal((await site.pr(['get-pr', 'oops-1', 'x', 'new'])).stdout, '8\n');
    const asJson = await site.pr(['--json', 'remove', '--checksum', 'd', '--pkgarch', 'y', '--dry-run']);
    assert.deepEqual(JSON.parse(asJson.stdout), {
      dryRun: true,
      count: 1,
      rows: [{ version: 'oops-1', pkgarch: 'y', checksum: 'd', value: '1' }],
    });
    const nothing = await site.pr(['remove', '--value', '1']);
    assert.equal(nothing.status, 2);
    assert.match(nothing.stderr, /remove: name what to remove with --version, --pkgarch or --checksum/);
  });

  test('an export that fails leaves the file that was there, and nothing beside it', async () => {
    const folder = path.join(site.folder, 'kept');
    fs.mkdirSync(folder);
    const file = path.join(folder, 'prs.inc');
    fs.writeFileSync(file, 'yesterday\n', { mode: 0o640 });
    await site.pr(['import-one', 'bad-1', 'arch$with$dollars', 'c', '1']);
    const failed = await site.pr(['export', '--version', 'bad-1', file]);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /a BitBake dump cannot carry this row/);
    assert.equal(fs.readFileSync(file, 'utf8'), 'yesterday\n');
    assert.deepEqual(fs.readdirSync(folder), ['prs.inc']);
    fs.symlinkSync('prs.inc', path.join(folder, 'latest.inc'));
    assert.equal((await site.pr(['export', '--version', 'all-1', path.join(folder, 'latest.inc')])).status, 0);
    assert.match(fs.readFileSync(file, 'utf8'), /^PRAUTO\$all-1/);
    assert.equal(fs.statSync(file).mode & 0o777, 0o640);
    assert.ok(fs.lstatSync(path.join(folder, 'latest.inc')).isSymbolicLink());
    assert.deepEqual(fs.readdirSync(folder).sort(), ['latest.inc', 'prs.inc']);
  });

  test('a place that cannot be written is named; a device is written to as it is', async () => {
    const nowhere = await site.pr(['export', 'no/such/folder/prs.inc']);
    assert.deepEqual(
      [nowhere.status, nowhere.stderr],
      [1, 'ERROR: cannot write no/such/folder/prs.inc.part: no such file or directory\n'],
    );
    const full = await site.pr(['export', '--version', 'all-1', '/dev/full']);
    assert.deepEqual([full.status, full.stderr], [1, 'ERROR: cannot write /dev/full: no space left on device\n']);
    assert.equal((await site.pr(['export', '--version', 'all-1', '/dev/null'])).status, 0);
  });
});

describe('bakeserv-prclient and a server that knows only BitBake’s commands and compares values as text', () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());
  const on = (address: string, ...args: string[]) => site.pr(['--server', address, ...args]);

  test('list and export have the real maximum: 10 of 0 to 10', async (t) => {
    const server = await oldPrServer(numbered(11));
    t.after(server.close);
    assert.equal((await on(server.address, 'list')).stdout, 'zlib-1 all 10\n');
    assert.equal((await on(server.address, 'export', '--format', 'csv')).stdout, csv(['zlib-1,all,c10,10']));
    assert.equal(
      (await on(server.address, 'export')).stdout,
      'PRAUTO$zlib-1$all$c10 = "10"\nPRAUTO_zlib-1_all = "10"\n',
    );
  });

  test('an import stores its rows one by one, and nothing of a bad file', async (t) => {
    const rows: PrRow[] = [];
    const server = await oldPrServer(rows);
    t.after(server.close);
    const file = site.file('one.csv', csv(['a-1,x,c,1', 'a-1,x,d,2', 'a-1,x,c,1']));
    const imported = await on(server.address, 'import', file);
    assert.deepEqual(
      [imported.status, imported.stdout, imported.stderr],
      [0, 'Stored:        2\nAlready there: 1\nRefused:       0\n', ''],
    );
    assert.equal(rows.length, 2);
    const bad = site.file('two.csv', csv(['a-1,x,e,3', 'a-1,x,f,999999999']));
    assert.equal((await on(server.address, 'import', bad)).status, 1);
    assert.equal(rows.length, 2);
  });

  test('an import that the server ends half-way says how much is stored', async (t) => {
    const server = await oldPrServer([], { takes: 256 });
    t.after(server.close);
    const rows = numbered(400).map((row) => Object.values(row).join(','));
    const { status, stderr } = await on(server.address, 'import', site.file('many.csv', csv(rows)));
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^256 rows were stored before that; import again, rows that are there stay as they are\nERROR: connection to /,
    );
  });

  test('remove is told to be unknown there', async (t) => {
    const server = await oldPrServer([]);
    t.after(server.close);
    const { status, stderr } = await on(server.address, 'remove', '--version', 'a-1');
    assert.deepEqual(
      [status, stderr],
      [1, 'ERROR: the server does not know remove: it is not bakeserv, or an older one\n'],
    );
  });
});
