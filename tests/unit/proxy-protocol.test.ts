import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { crc32c, MAX_HEADER_BYTES, readProxyHeader } from '../../lib/asyncrpc/transport/proxy-protocol.ts';
import { LOCAL, rawVersion2, UNIX_CLIENT, version1, version2 } from '../proxy-headers.ts';

/** Addresses in the form the system gives them, so that they can be compared. */
const v6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const end = fc.record({ address: fc.oneof(fc.ipV4(), v6), port: fc.integer({ min: 0, max: 65535 }) });
const extensions = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 255 }).filter((type) => type !== 3),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  ),
  { maxLength: 4 },
);
const headers = fc.oneof(
  end.map((client) => ({ client, bytes: version1(client) })),
  fc
    .tuple(end, extensions, fc.boolean())
    .map(([client, more, checksum]) => ({ client, bytes: version2(client, more, checksum) })),
);
const why = (bytes: Buffer) => {
  const reading = readProxyHeader(bytes);
  return reading.kind === 'wrong' ? reading.why : reading.kind;
};
const line = (text: string) => why(Buffer.from(text, 'latin1'));

describe('a header of the PROXY protocol', () => {
  test('is read back as it was written, and what follows it is the client’s', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 300 }), ({ client, bytes }, rest) => {
        const reading = readProxyHeader(Buffer.concat([bytes, rest]));
        assert.deepEqual(reading, { kind: 'header', source: { kind: 'address', ...client }, length: bytes.length });
      }),
    );
  });

  test('cut anywhere asks for more, and never for more than it has', () => {
    fc.assert(
      fc.property(headers, ({ bytes }) => {
        for (let length = 0; length < bytes.length; length++) {
          const reading = readProxyHeader(bytes.subarray(0, length));
          assert(reading.kind === 'more', `${length} of ${bytes.length}`);
          assert(reading.atLeast > length && reading.atLeast <= bytes.length);
        }
      }),
    );
  });

  test('whatever else comes is told apart without an error, and takes no bytes that are not there', () => {
    const begun = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.constant(Buffer.from('PROXY ')),
      fc.constant(Buffer.from('PROXY TCP4 ')),
      fc.constant(LOCAL.subarray(0, 12)),
      headers.map(({ bytes }) => bytes),
    );
    fc.assert(
      fc.property(begun, fc.uint8Array({ maxLength: 400 }), fc.nat(), (start, garbage, at) => {
        const bytes = Buffer.concat([start, garbage]);
        if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << (at % 8);
        const reading = readProxyHeader(bytes);
        if (reading.kind === 'more') assert(reading.atLeast > bytes.length && reading.atLeast <= MAX_HEADER_BYTES);
        if (reading.kind === 'header') assert(reading.length > 0 && reading.length <= bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  test('of version 1 must be the line of the specification', () => {
    for (const wrong of [
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n',
      'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n',
      'PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n',
      'PROXY TCP4 ::1 ::1 1 2\r\n',
      'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY TCP6 fe80::1%lo fe80::1 1 2\r\n',
      'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY \r\n',
      'PROXY UNKNOWNS\r\n',
      'PROXY UNKNOWN\n',
      'PROXY UNKNOWN \rx\r\n',
    ])
      assert.match(line(wrong), /not as in version 1/, JSON.stringify(wrong));
    for (const wrong of ['proxy ', 'GET / HTTP/1.1\r\n', 'OEHASHEQUIV 1.1\n', '\r\n\r\n\r\n'])
      assert.match(line(wrong), /does not begin with a PROXY/, wrong);
    for (const unknown of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 whatever 1 2\r\n'])
      assert.deepEqual(readProxyHeader(Buffer.from(unknown)), {
        kind: 'header',
        source: { kind: 'unknown' },
        length: unknown.length,
      });
  });

  test('of version 1 ends within 107 bytes', () => {
    const unknown = (length: number) => `PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`;
    assert.equal(line(unknown(107)), 'header');
    assert.match(line(unknown(108)), /longer than 107/);
    assert.equal(line('PROXY UNKNOWN '.padEnd(106, 'x')), 'more');
    assert.match(line('PROXY UNKNOWN '.padEnd(107, 'x')), /longer than 107/);
  });

  test('of version 2 may be of the proxy itself, of a Unix socket, or of nobody that is known', () => {
    const source = (bytes: Buffer) => {
      const reading = readProxyHeader(bytes);
      assert(reading.kind === 'header', JSON.stringify(reading));
      assert.equal(reading.length, bytes.length);
      return reading.source.kind;
    };
    assert.equal(source(LOCAL), 'self');
    assert.equal(source(rawVersion2(0, 0xff, Buffer.alloc(100, 0xff))), 'self', 'of which nothing else is read');
    assert.equal(source(UNIX_CLIENT), 'unix');
    assert.equal(source(rawVersion2(1, 0x00, Buffer.alloc(0))), 'unknown');
    assert.equal(source(rawVersion2(1, 0x00, Buffer.alloc(50, 0xff))), 'unknown');
    assert.equal(source(rawVersion2(1, 0x12, Buffer.alloc(12))), 'unknown', 'datagrams');
  });

  test('of version 2 is refused with another version, command, family or length', () => {
    const changed = (at: number, byte: number) => {
      const bytes = version2({ address: '1.2.3.4', port: 5 });
      bytes[at] = byte;
      return why(bytes);
    };
    assert.match(changed(12, 0x11), /version 1/);
    assert.match(changed(12, 0x22), /unknown command 2/);
    assert.match(changed(13, 0x41), /unknown address family/);
    assert.match(changed(13, 0x13), /unknown address family/);
    assert.match(changed(13, 0x21), /addresses are cut short/);
    assert.match(changed(14, 0xff), /longer than 4096/);
    assert.match(why(rawVersion2(1, 0x11, Buffer.alloc(14))), /extensions are cut short/);
    assert.match(why(rawVersion2(1, 0x11, Buffer.alloc(15, 9))), /extensions are cut short/);
  });

  test('with a checksum is taken only if that is right', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283, 'the check value of CRC-32C');
    const good = version2({ address: '1.2.3.4', port: 5 }, [[4, Buffer.alloc(3)]], true);
    assert.equal(why(good), 'header');
    const flipped = Buffer.from(good);
    flipped[19]! ^= 1;
    assert.match(why(flipped), /CRC32C is wrong/);
    const short = version2({ address: '1.2.3.4', port: 5 }, [[3, Buffer.alloc(3)]]);
    assert.match(why(short), /CRC32C has a wrong length/);
  });
});
