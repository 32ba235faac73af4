import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { address, parseRoute } from '../../web/src/route.ts';

describe('addresses within the page', () => {
  test('name a view, what it is about, and parameters', () => {
    assert.deepEqual(parseRoute('#/job/17?service=prserv'), {
      view: 'job',
      rest: ['17'],
      query: { service: 'prserv' },
    });
    assert.equal(address(['job', 17], { service: 'prserv', before: null, q: '' }), '#/job/17?service=prserv');
  });

  test('that are none lead to the overview', () => {
    for (const hash of ['', '#', '#/', '#top', '#//', '#/%E0%A4%A', '#/job/%zz'])
      assert.deepEqual(parseRoute(hash), { view: 'overview', rest: [], query: {} }, hash);
  });

  test('lead back to the same view, whatever the names are', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, fc.dictionary(name, name), (version, query) => {
        const route = parseRoute(address(['package', version], query));
        assert.deepEqual(route, { view: 'package', rest: [version], query: { ...query } });
      }),
    );
  });

  test('take half a character for what it is shown as', () => {
    assert.deepEqual(parseRoute(address(['package', 'a\ud800'])).rest, ['a\ufffd']);
  });
});
