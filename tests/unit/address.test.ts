import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Address, formatAddress, isLocalAddress, parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { AddressError } from '../../lib/errors.ts';

const ws = (host: string, port: number, path = '/', secure = false): Address => ({
  kind: 'ws',
  secure,
  host,
  port,
  path,
});
const tcp = (host: string, port: number): Address => ({ kind: 'tcp', host, port });
const tls = (host: string, port: number): Address => ({ kind: 'tls', host, port });

const http = (host: string, port: number, secure = false): Address => ({ kind: 'http', secure, host, port });

const FORMS: readonly (readonly [text: string, address: Address, local: boolean, written?: string])[] = [
  ['unix://./hashserve.sock', { kind: 'unix', path: './hashserve.sock' }, true],
  ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }, true],
  [`unix:///${'p'.repeat(500)}`, { kind: 'unix', path: `/${'p'.repeat(500)}` }, true],
  ['unix://a:1', { kind: 'unix', path: 'a:1' }, true],
  ['localhost:8585', tcp('localhost', 8585), true],
  ['127.0.0.1:0', tcp('127.0.0.1', 0), true],
  ['127.1.2.3:1', tcp('127.1.2.3', 1), true],
  ['example.org:65535', tcp('example.org', 65535), false],
  ['0.0.0.0:1', tcp('0.0.0.0', 1), false],
  [':8585', tcp('', 8585), false],
  ['[::1]:8585', tcp('::1', 8585), true],
  ['[::]:8585', tcp('::', 8585), false],
  ['[fe80::1%eth0]:1', tcp('fe80::1%eth0', 1), false],
  ['[::ffff:127.0.0.1]:1', tcp('::ffff:127.0.0.1', 1), true],
  ['tls://host:1', tls('host', 1), false],
  ['tls://localhost:8687', tls('localhost', 8687), true],
  ['tls://[::1]:0', tls('::1', 0), true],
  ['tls://:8687', tls('', 8687), false],
  ['ws://host:1', ws('host', 1), false],
  ['ws://localhost:1', ws('localhost', 1), true],
  ['ws://host', ws('host', 80), false, 'ws://host:80'],
  ['wss://host', ws('host', 443, '/', true), false, 'wss://host:443'],
  ['wss://[::1]:5/p?q', ws('::1', 5, '/p?q', true), true],
  ['http://host:1', http('host', 1), false],
  ['http://127.0.0.1:0', http('127.0.0.1', 0), true],
  ['http://[::1]/', http('::1', 80), true, 'http://[::1]:80'],
  ['https://host', http('host', 443, true), false, 'https://host:443'],
];

const BAD = [
  '',
  'localhost',
  'unix://',
  'unix:/x',
  '/run/x.sock',
  '8585',
  'host:',
  'host:65536',
  'host:-1',
  'host:123456',
  'host:1x',
  'a:b:1',
  '::1:8585',
  '[::1]',
  '[]:1',
  '[::1:1',
  'a b:1',
  'http://',
  'http://host:1/ws',
  'http://host:1?q',
  'http://user:password@host:1',
  'https://host:70000',
  'ws://',
  'ws://host:70000',
  'wss://user:password@host:1',
  'unix://a\0b',
  'host/path:1',
  'tls://',
  'tls://host',
  'tls://host:1/',
  'tls://user@host/x:1',
  'TLS://host:1',
  'tls://tls://host:1',
];

describe('addresses', () => {
  for (const [text, address, local, written = text] of FORMS) {
    test(`${text.slice(0, 40)} is read and written back`, () => {
      assert.deepEqual(parseAddress(text), address);
      assert.equal(formatAddress(address), written);
      assert.deepEqual(parseAddress(formatAddress(address)), address);
      assert.equal(isLocalAddress(address), local);
    });
  }

  for (const text of BAD) {
    test(`${JSON.stringify(text)} is refused, naming it and the forms there are`, () => {
      assert.throws(
        () => parseAddress(text),
        (error: Error) => {
          assert.ok(error instanceof AddressError);
          assert.ok(error.message.includes(JSON.stringify(text)), error.message);
          assert.match(error.message, /expected unix:\/\/PATH, HOST:PORT/);
          return true;
        },
      );
    });
  }
});
