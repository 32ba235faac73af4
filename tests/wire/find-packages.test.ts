import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serve, UNIX } from './helpers.ts';
import { httpServer } from './http-helpers.ts';

const pr = (version: string, pkgarch: string, checksum: string) => ({ version, pkgarch, checksum });

describe('find-packages and show-package', () => {
  test('tell every value of a version in the order given, and what the upstream has of it', async (t) => {
    const above = await serve(t, { transport: UNIX });
    const client = await above.connect('PRSERVICE 1.0');
    for (const checksum of ['u1', 'u2', 'u3']) await client.ask('get-pr', pr('busybox-1.36-r0', 'core2-64', checksum));
    const server = await serve(t, { flags: { 'prserv-upstream': `unix://${above.folder}/s` } });
    const below = await server.connect('PRSERVICE 1.0');
    for (const checksum of ['z', 'y', 'x']) await below.ask('get-pr', pr('busybox-1.36-r0', 'core2-64', checksum));
    await below.ask('get-pr', pr('busybox-1.36-r0', '<all>', 'c'));
    await below.ask('get-pr', pr('bash-5-r0', 'all', 'c'));
    assert.deepEqual(await below.ask('find-packages', { text: 'box-1' }), {
      text: 'box-1',
      packages: [
        { version: 'busybox-1.36-r0', pkgarch: '<all>', values: 1, max: '0' },
        { version: 'busybox-1.36-r0', pkgarch: 'core2-64', values: 3, max: '2.2' },
      ],
      ...{ cut: false, complete: true },
    });
    const shown = {
      version: 'busybox-1.36-r0',
      pkgarchs: [
        {
          pkgarch: '<all>',
          max: '0',
          values: [{ checksum: 'c', value: '0', not_before: null }],
          cut: false,
          upstream: { state: 'answered', max: null },
        },
        {
          pkgarch: 'core2-64',
          max: '2.2',
          values: [
            { checksum: 'z', value: '2.0', not_before: null },
            { checksum: 'y', value: '2.1', not_before: null },
            { checksum: 'x', value: '2.2', not_before: null },
          ],
          cut: false,
          upstream: { state: 'answered', max: '2' },
        },
      ],
    };
    assert.deepEqual(await below.ask('show-package', { version: 'busybox-1.36-r0' }), shown);
    assert.equal(await below.ask('show-package', { version: 'busybox' }), null);
    await above.stop();
    const away = (await below.ask('show-package', { version: 'busybox-1.36-r0' })) as unknown as typeof shown;
    assert.deepEqual(
      away.pkgarchs.map(({ upstream }) => upstream),
      [{ state: 'away' }, { state: 'away' }],
    );
    assert.deepEqual(away.pkgarchs[1]!.values, shown.pkgarchs[1]!.values, 'and holds nobody up');
  });

  test('tell no more than so much text, of each architecture a part, however long checksums are', async (t) => {
    const server = await serve(t);
    const client = await server.connect('PRSERVICE 1.0');
    const LONG = 'c'.repeat(1000);
    for (const pkgarch of ['a', 'b', 'c'])
      await client.ask('import-rows', {
        rows: Array.from({ length: 300 }, (_, i) => JSON.stringify(['p-1-r0', pkgarch, `${i}${LONG}`, `${i}`])).join(
          '\n',
        ),
      });
    await client.ask('get-pr', pr('p-1-r0', 'd', 'short'));
    const shown = (await client.ask('show-package', { version: 'p-1-r0' })) as unknown as {
      pkgarchs: { max: string; cut: boolean; values: unknown[] }[];
    };
    assert.ok(JSON.stringify(shown).length < 600_000, 'it is short');
    assert.deepEqual(
      shown.pkgarchs.map(({ max, cut, values }) => [max, cut, values.length > 100 || values.length === 1]),
      [
        ['299', true, true],
        ['299', true, true],
        ['299', true, true],
        ['0', false, true],
      ],
    );
  });

  test('change nothing, and refuse what is no text', async (t) => {
    const server = await serve(t);
    const client = await server.connect('PRSERVICE 1.0');
    for (const args of [{}, { text: '' }, { text: 3 }, { text: 'a', limit: 0 }, { text: 'a', limit: 501 }])
      assert.match(JSON.stringify(await client.ask('find-packages', args)), /invoke-error/);
    assert.match(JSON.stringify(await client.ask('show-package', {})), /invoke-error/);
    await client.ask('find-packages', { text: 'p' });
    await client.ask('show-package', { version: 'p-1-r0' });
    assert.deepEqual(await client.ask('get-pr', pr('p-1-r0', 'all', 'c')), { value: '0' });
    const alone = (await client.ask('show-package', { version: 'p-1-r0' })) as unknown as {
      pkgarchs: { upstream: null }[];
    };
    assert.equal(alone.pkgarchs[0]!.upstream, null);
  });

  test('are there over HTTP', async (t) => {
    const { url } = await httpServer(t);
    const get = async (path: string) => (await fetch(`${url}/api/v1${path}`)).status;
    assert.equal(await get('/versions/p%2F1'), 404);
    assert.equal(await get('/packages?text=p'), 200);
    for (const query of ['', '?text=', '?text=a&limit=501', '?text=a&after=b'])
      assert.equal(await get(`/packages${query}`), 422, query);
  });
});
