import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Peer } from '../../lib/asyncrpc/service.ts';
import { createProxies, peerFrom, peerOfRequest, peerOfStream } from '../../lib/asyncrpc/transport/proxies.ts';
import { resolveConfig } from '../../lib/settings/config.ts';

const here: Peer = { name: '127.0.0.1:5', address: '127.0.0.1', local: true };
const there: Peer = { name: '10.0.0.5:5', address: '10.0.0.5', local: false };
const unix: Peer = { name: 'unix', address: null, local: true };
const all = createProxies(['127.0.0.1', '::1', '10.0.0.0/8', 'unix']);

/** Address and rights of a client, as the header says. */
function client(forwarded: string | undefined, peer: Peer = here, proxies = all) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const { address, local } = peerOfRequest(peer, headers, proxies);
  return [address, local];
}

describe('--trust-proxy', () => {
  test('names addresses, networks and Unix sockets', () => {
    const proxies = createProxies(['192.0.2.1', '10.0.0.0/8', 'fd00::/8', '2001:db8::1']);
    for (const address of ['192.0.2.1', '10.255.0.1', 'fd12::1', '2001:db8::1', '::ffff:10.1.1.1'])
      assert.ok(proxies.trusts(address), address);
    for (const address of ['192.0.2.2', '11.0.0.1', 'fe80::1', '127.0.0.1', '::1', 'unknown', null])
      assert.ok(!proxies.trusts(address), String(address));
    assert.ok(createProxies(['unix']).trusts(null));
    assert.ok(!createProxies(['unix']).trusts('127.0.0.1'));
    assert.ok(createProxies(['0.0.0.0/0']).trusts('192.0.2.1'));
  });

  test('is read from commas, blanks and several options, and what is no network is refused by its name', () => {
    const file = { path: 'f.yaml', settings: { 'trust-proxy': ['10.0.0.0/8', 'unix'] } };
    assert.deepEqual(resolveConfig({}, {}, 1024, file).trustProxy, ['10.0.0.0/8', 'unix']);
    assert.deepEqual(resolveConfig({ 'trust-proxy': ['::1,unix', '10.0.0.1'] }, {}).trustProxy, [
      '::1',
      'unix',
      '10.0.0.1',
    ]);
    assert.deepEqual(resolveConfig({}, { BAKESERV_TRUST_PROXY: '::1 10.0.0.1' }).trustProxy, ['::1', '10.0.0.1']);
    assert.deepEqual(resolveConfig({}, {}).trustProxy, []);
    for (const word of ['localhost', '10.0.0.0/33', '::/129', '10.0.0', 'fe80::1%eth0', '10.0.0.0/', '1.2.3.4/8/8'])
      assert.throws(
        () => resolveConfig({ 'trust-proxy': [word] }, {}),
        { code: 'config-error', message: /^--trust-proxy: .* is not an address, a network such as/ },
        word,
      );
  });

  test('must name somebody who can come to a listener with proxy-protocol', () => {
    const bind = (address: string, trusted: string[]) =>
      resolveConfig({ bind: [`${address},proxy-protocol`], 'trust-proxy': trusted }, {}).binds[0]!.proxyProtocol;
    assert.equal(bind(':1', ['::1']), true);
    assert.equal(bind('unix://s', ['unix']), true);
    assert.throws(() => bind(':1', ['unix']), /--bind: :1: proxy-protocol .* name the address of the proxy there/);
    assert.throws(() => bind(':1', []), /lets in only those that --trust-proxy names/);
    assert.throws(() => bind('unix://s', ['::1']), /unix:\/\/s: .* name unix there/);
  });
});

describe('X-Forwarded-For', () => {
  test('of a trusted proxy is read from the right to the first address that is no proxy', () => {
    assert.deepEqual(client('203.0.113.9'), ['203.0.113.9', false]);
    assert.deepEqual(client('198.51.100.1, 203.0.113.9'), ['203.0.113.9', false], 'the rest is the client’s own word');
    assert.deepEqual(client('198.51.100.1, 203.0.113.9, 10.0.0.7,127.0.0.1'), ['203.0.113.9', false]);
    assert.deepEqual(client('10.0.0.9, 10.0.0.7', there), ['10.0.0.9', false], 'nobody but proxies');
    assert.deepEqual(client('203.0.113.9', unix), ['203.0.113.9', false]);
  });

  test('has addresses with and without ports and brackets', () => {
    for (const [text, address] of [
      ['203.0.113.9:4711', '203.0.113.9'],
      ['2001:db8::1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      [' [2001:db8::1]:4711 ', '2001:db8::1'],
      ['::ffff:203.0.113.9', '::ffff:203.0.113.9'],
    ] as const)
      assert.deepEqual(client(text), [address, false], text);
  });

  test('that is no list of addresses gives no local rights, and counts to the proxy', () => {
    for (const text of [
      '',
      'unknown',
      '_hidden',
      '203.0.113.9,',
      '1.2.3',
      '[1.2.3.4]',
      '1.2.3.4:99999',
      'fe80::1%lo',
    ]) {
      assert.deepEqual(client(text), ['127.0.0.1', false], text);
      assert.deepEqual(client(`127.0.0.1, ${text}`), ['127.0.0.1', false], text);
      assert.deepEqual(
        client(text, unix),
        ['unknown', false],
        'not as one of the Unix sockets, whose places are reserved',
      );
    }
  });

  test('makes a client local only if each machine on the way is this one', () => {
    assert.deepEqual(client('127.0.0.1'), ['127.0.0.1', true]);
    assert.deepEqual(client('127.0.0.1, ::1'), ['127.0.0.1', true]);
    assert.deepEqual(client('127.0.0.1', unix), ['127.0.0.1', true]);
    // What a client says of itself stands left of what the proxy says of it.
    assert.deepEqual(client('127.0.0.1, 203.0.113.9'), ['203.0.113.9', false]);
    // A loopback address is that of the machine which names it.
    assert.deepEqual(client('127.0.0.1', there), ['10.0.0.5', false]);
    assert.deepEqual(client('127.0.0.1, 10.0.0.7'), ['10.0.0.7', false]);
    assert.deepEqual(client('203.0.113.9, 127.0.0.1', there), ['203.0.113.9', false], 'two proxies on that machine');
    assert.deepEqual(
      client('127.0.0.1, 127.0.0.1', there, createProxies(['10.0.0.0/8'])),
      ['10.0.0.5', false],
      'what is left of one that is no proxy is not believed',
    );
  });

  test('of anybody else is not believed, and tells of a proxy; who says nothing is as local as its listener', () => {
    const nobody = createProxies(['192.0.2.1']);
    assert.deepEqual(client('203.0.113.9', here, nobody), ['127.0.0.1', false]);
    assert.deepEqual(client('127.0.0.1', here, nobody), ['127.0.0.1', false]);
    assert.deepEqual(client(undefined, here, nobody), ['127.0.0.1', true]);
    for (const name of ['forwarded', 'x-real-ip', 'via'])
      assert.equal(peerOfRequest(here, { [name]: 'x' }, nobody).local, false, name);
  });

  test('is missing: a trusted proxy that names nobody has no local clients', () => {
    assert.deepEqual(client(undefined), ['127.0.0.1', false]);
    assert.deepEqual(client(undefined, unix), ['unknown', false]);
    assert.equal(peerOfRequest(here, { 'x-real-ip': '127.0.0.1' }, all).local, false);
    const named = peerFrom(here, { kind: 'address', address: '127.0.0.1', port: 9 });
    assert.equal(peerOfRequest(named, {}, all).local, true, 'the PROXY protocol has named it');
    assert.equal(peerOfRequest(named, { via: 'x' }, all).local, false);
  });

  test('never makes a client local through a proxy that appends the address it sees, whatever the client sends', () => {
    const word = fc.oneof(
      fc.constantFrom('127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', '[::1]:1', 'unknown', '', ' '),
      fc.string({ maxLength: 8 }),
    );
    const seen = fc.constantFrom('203.0.113.9', '10.1.1.1', '2001:db8::9', '::ffff:10.1.1.1');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), seen, fc.constantFrom(here, there, unix), (sent, address, peer) => {
        const named = peerOfRequest(peer, { 'x-forwarded-for': [...sent, address].join(', ') }, all);
        assert.equal(named.local, false);
        assert.notEqual(named.address, null);
      }),
    );
  });
});

test('a byte stream from the address of a proxy is not local, as nobody knows who is behind it', () => {
  assert.equal(peerOfStream(here, all).local, false);
  assert.equal(peerOfStream(here, createProxies(['10.0.0.0/8', 'unix'])).local, true);
  assert.equal(peerOfStream(unix, all).local, true, 'a socket of its own, that only some may open');
  const named = peerFrom(here, { kind: 'address', address: '127.0.0.1', port: 9 });
  assert.equal(peerOfStream(named, all).local, true);
});
