import assert from 'node:assert/strict';
import type http from 'node:http';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { siteOf } from '../../lib/http/guard.ts';

const site = (headers: Record<string, string>, isSecure = false) =>
  siteOf({ headers } as unknown as http.IncomingMessage, isSecure);

describe('where a request comes from', () => {
  test('is own where the browser says so, and otherwise by an Origin that nobody else can have', () => {
    assert.equal(site({ 'sec-fetch-site': 'same-origin' }), 'own');
    assert.equal(site({ origin: 'http://10.0.0.5:8080', host: '10.0.0.5:8080' }), 'own');
    assert.equal(site({ origin: 'http://[::1]:8080', host: '[::1]:8080' }), 'own');
    assert.equal(site({ origin: 'https://hashes.example', host: 'hashes.example' }, true), 'own');
    assert.equal(
      site({ origin: 'http://hashes.example', host: 'hashes.example' }),
      'foreign',
      'a name may be anybody’s',
    );
    assert.equal(site({ origin: 'http://hashes.example', host: 'hashes.example' }, true), 'foreign');
    assert.equal(site({ origin: 'https://10.0.0.5', host: '10.0.0.5' }), 'foreign');
    assert.equal(site({ origin: 'null', host: '10.0.0.5' }), 'foreign');
    assert.equal(site({ origin: 'http://10.0.0.5:8080', host: '10.0.0.5' }), 'foreign', 'another port');
    assert.equal(site({ origin: 'http://10.0.0.5' }), 'foreign');
  });

  test('is of no page for all it says where somebody follows a link, and where there is no browser', () => {
    assert.equal(site({}), 'none');
    assert.equal(site({ host: 'evil.example' }), 'none');
    assert.equal(site({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }), 'none');
    assert.equal(site({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }), 'none');
    assert.equal(site({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 'foreign');
    assert.equal(site({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }), 'foreign');
  });

  test('is never own for what another site can have a browser send', () => {
    const elsewhere = fc.constantFrom('cross-site', 'same-site', 'none', 'SAME-ORIGIN', 'same-origin, cross-site', '');
    fc.assert(
      fc.property(fc.webUrl(), elsewhere, fc.boolean(), (url, said, isSecure) => {
        const { origin, host } = new URL(url);
        assert.notEqual(site({ origin, host, 'sec-fetch-site': said }, isSecure), 'own');
        assert.notEqual(site({ origin, host: 'localhost:8080' }, isSecure), 'own');
        if (!/^\d/.test(host)) assert.notEqual(site({ origin, host }, false), 'own');
      }),
    );
  });
});
