import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../lib/asyncrpc/transport/address.ts';
import { resolveConfig } from '../../lib/settings/config.ts';
import { parseListener } from '../../lib/settings/listener-spec.ts';
import { type ListenerObject, readListener, splitListeners } from '../../lib/settings/listener-words.ts';
import { resolveSettings } from '../../lib/settings/settings.ts';

const ANY = { access: { mode: null, group: null }, tls: { certificate: null, clientCaFile: null } };
const fault = (message: RegExp) => ({ code: 'config-error', message });

describe('a listener with rights of its own', () => {
  test('is read from a text: a list goes on with permissions and services', () => {
    assert.deepEqual(readListener(':8585,services=hashserv,prserv,anon-perms=@read,@report,read-only'), {
      address: ':8585',
      services: ['hashserv', 'prserv'],
      'anon-perms': ['@read', '@report'],
      'read-only': true,
    });
    assert.deepEqual(readListener('unix://a b,pr=none,socket-mode=0660,socket-group=g'), {
      address: 'unix://a b',
      pr: 'none',
      'socket-mode': '0660',
      'socket-group': 'g',
    });
    assert.deepEqual(readListener('h:1'), { address: 'h:1' });
  });

  test('is the same as an object, and as one of many in a variable of the environment', () => {
    const texts = ['unix://s,read-only', ':1,services=hashserv,anon-perms=@read,@report,pr=read-only', ':2'];
    const one = texts.with(1, ':1,anon-perms=@read,@report,pr=read-only');
    for (const separator of [' ', ',', ' , ', ',\n']) assert.deepEqual(splitListeners(one.join(separator)), one);
    const fromText = one.map((text) => parseListener(text, ANY));
    const fromObjects = one.map((text) => parseListener(readListener(text), ANY));
    assert.deepEqual(fromText, fromObjects);
    assert.deepEqual(resolveConfig({}, { BAKESERV_BIND: one.join(',') }).binds, fromText);
    const file = { path: 'b.yaml', settings: { bind: one.map(readListener) } };
    assert.deepEqual(resolveConfig({}, {}, 1024, file).binds, fromText);
  });

  test('whatever is said of it, is read back', () => {
    const word = fc.stringMatching(/^[a-z0-9/._-]{1,8}$/);
    const given = fc.record(
      {
        address: word.map((path) => `unix://${path}`),
        'read-only': fc.constant(true),
        services: fc.subarray(['hashserv', 'prserv'], { minLength: 1 }),
        'anon-perms': fc.subarray(['@read', '@report', '@db-admin', '@none'], { minLength: 1 }),
        pr: fc.constantFrom('read-only', 'none'),
        'socket-mode': fc.constantFrom('0660', '600'),
        'socket-group': word,
        'pr-auth': fc.constant(true),
        'proxy-protocol': fc.constant(true),
        'tls-cert': word,
        'tls-key': word,
        'tls-client-ca': word,
      },
      { requiredKeys: ['address'] },
    );
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 4 }), (listeners) => {
        const texts = listeners.map(textOf);
        assert.deepEqual(
          texts.map(readListener),
          listeners.map((each) => ({ ...each })),
        );
        assert.deepEqual(splitListeners(texts.join(' ')), texts);
        assert.deepEqual(splitListeners(texts.join(',')), texts);
      }),
    );
  });

  test('has the global mode and group unless it says another', () => {
    const { binds } = resolveConfig(
      { bind: ['unix://a', 'unix://b,socket-mode=600'], 'socket-mode': '0660', 'socket-group': '12' },
      {},
    );
    assert.deepEqual(
      binds.map(({ access }) => access),
      [
        { mode: 0o660, group: '12' },
        { mode: 0o600, group: '12' },
      ],
    );
  });

  test('has the general certificate, and asks clients for theirs, unless it says another', () => {
    const general = { 'tls-cert': 'c', 'tls-key': 'k', 'tls-client-ca': 'a' };
    const own = 'tls-cert=c2,tls-key=k2';
    const tlsOf = (flags: object) => resolveConfig({ ...flags }, {}).binds.map(({ tls }) => tls);
    const bind = [`tls://:1`, `tls://:2,${own}`, `wss://h,${own},tls-client-ca=a2`, 'tls://:3,tls-client-ca=a3', ':4'];
    const files = (certFile: string, keyFile: string, clientCaFile: string | null) => ({
      certFile,
      keyFile,
      clientCaFile,
    });
    assert.deepEqual(tlsOf({ bind, ...general }), [
      files('c', 'k', 'a'),
      files('c2', 'k2', 'a'),
      files('c2', 'k2', 'a2'),
      files('c', 'k', 'a3'),
      null,
    ]);
    assert.deepEqual(tlsOf({ bind: bind.slice(1, 3), 'tls-client-ca': 'a' }), [
      files('c2', 'k2', 'a'),
      files('c2', 'k2', 'a2'),
    ]);
    assert.deepEqual(tlsOf({ bind: [`tls://:2,${own}`] }), [files('c2', 'k2', null)]);
  });

  test('may have commas in its path where it is an object', () => {
    const { address } = parseListener({ address: 'unix://a,b' }, ANY);
    assert.equal(formatAddress(address), 'unix://a,b');
  });

  const wrong: readonly (readonly [given: string, says: RegExp])[] = [
    [':1,reed-only', /^--bind: ":1,reed-only": "reed-only" is nothing that can be said .*did you mean read-only\?/],
    [':1,:2', /^--bind: .*":2" is nothing/],
    [':1,read-only=yes', /read-only takes no value/],
    [':1,pr', /pr needs a value, as pr=…/],
    [':1,pr=', /pr is empty/],
    [':1,pr=none,pr=none', /pr is given twice/],
    [':1,pr=no', /:1: pr: "no" is not read-only or none/],
    [':1,address=:2', /"address=:2" is nothing/],
    [':1,tls-cert=c,tls-key=k', /:1: tls-cert, tls-key and tls-client-ca are for addresses with TLS/],
    ['ws://h,tls-client-ca=a', /ws:\/\/h:80: tls-cert, tls-key and tls-client-ca are for addresses with TLS/],
    ['tls://:1,tls-cert=c', /tls:\/\/:1: tls-cert without tls-key/],
    ['tls://:1,tls-key=k', /tls:\/\/:1: tls-key without tls-cert/],
    [':1,services=http', /:1: services: "http" is no service; there are hashserv, prserv/],
    [':1,services=hashserv,pr=none', /:1: pr=none says something of a service that is not served there/],
    [':1,services=prserv,pr=none', /:1: nothing is served there/],
    [':1,anon-perms=@user-admin', /@user-admin cannot be given to anonymous clients/],
    [':1,anon-perms=@reed', /unknown permission @reed/],
    [':1,socket-mode=0660', /:1: socket-mode and socket-group are for Unix sockets/],
    ['unix://s,socket-mode=9', /unix:\/\/s: socket-mode: "9" is not three octal digits/],
    ['nowhere,read-only', /address "nowhere": not an address/],
  ];
  for (const [given, says] of wrong)
    test(`is refused as ${given}`, () => {
      assert.throws(() => resolveConfig({ bind: [given] }, {}), fault(says));
    });

  test('is refused where only services are served that the server has not', () => {
    assert.throws(() => resolveConfig({ bind: [':1,services=prserv'], prserv: false }, {}), fault(/nothing is served/));
    assert.throws(() => resolveConfig({ bind: [':1,pr=none'], hashserv: false }, {}), fault(/nothing is served/));
  });

  test('a key of an object that is none is named with what was meant', () => {
    const of = (bind: unknown) => () => resolveSettings({}, {}, { path: 'b.yaml', settings: { bind } });
    assert.throws(
      of([{ address: ':1', reedonly: true }]),
      fault(/^b\.yaml: bind: .*reedonly is nothing.*read-only\?/s),
    );
    assert.throws(of({ 'read-only': true }), fault(/^b\.yaml: bind: /));
    assert.throws(of([{ address: ':1', pr: 'no' }]), fault(/^b\.yaml: bind: /));
  });
});

function textOf(listener: ListenerObject): string {
  const { address, ...said } = listener;
  const words = Object.entries(said).map(([key, value]) =>
    value === true ? key : `${key}=${[value].flat().join(',')}`,
  );
  return [address, ...words].join(',');
}

describe('the name of a listener', () => {
  test('is that of a socket which may take its place', () => {
    assert.equal(parseListener(':1,name=builders.socket', ANY).name, 'builders.socket');
    assert.equal(parseListener({ address: ':1', name: 'with blank' }, ANY).name, 'with blank');
    assert.equal(parseListener(':1', ANY).name, null);
  });

  test('is one that systemd can give, and does not give to sockets without a name', () => {
    for (const name of ['a:b', 'ü', 'x'.repeat(256), 'a\nb'])
      assert.throws(() => parseListener({ address: ':1', name }, ANY), /is not 1 to 255 ASCII characters/);
    for (const name of ['unknown', 'connection', 'stored'])
      assert.throws(() => parseListener(`:1,name=${name}`, ANY), /sockets that have no name/);
  });

  test('is that of one listener only', () => {
    const bind = [':1,name=a', ':2,name=b', ':3,name=a'];
    assert.throws(() => resolveConfig({ bind }), /--bind: :3: another listener has the name a too/);
  });
});
