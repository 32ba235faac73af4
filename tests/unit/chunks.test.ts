import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { onChunk } from '../../lib/asyncrpc/connection/chunks.ts';

describe('chunks of a socket', { timeout: 30_000 }, () => {
  let server: net.Server;
  let client: net.Socket;
  let socket: net.Socket;
  let received = '';

  beforeEach(async () => {
    received = '';
    server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    [socket] = (await once(server, 'connection')) as [net.Socket];
  });
  afterEach(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });

  const arrives = async (text: string) => {
    while (received.length < text.length) await new Promise(setImmediate);
    assert.equal(received, text);
  };

  test('come as they are sent, then the end, and the socket can still be written to', async () => {
    onChunk(socket, (chunk) => {
      received += chunk;
    });
    const ended = once(socket, 'end');
    for (let i = 0; i < 3; i++) {
      client.write(`${i}`);
      await arrives('012'.slice(0, i + 1));
    }
    client.end('3');
    await ended;
    assert.equal(received, '0123');
    socket.end('answer');
    assert.equal(String((await once(client, 'data'))[0]), 'answer');
  });

  test('go by the stream, which has no turn of its own for them', async () => {
    let emitted = 0;
    onChunk(socket, (chunk) => {
      received += chunk;
    });
    socket.on('data', () => emitted++);
    client.write('a');
    await arrives('a');
    assert.equal(emitted, 0);
  });

  test('that come while it is paused wait, and are not more than its buffer: then it is not read', async () => {
    onChunk(socket, (chunk) => {
      received += chunk;
      if (received === 'a') socket.pause();
    });
    client.write('a');
    await arrives('a');
    const text = 'b'.repeat(8 * 1024 * 1024);
    client.write(text);
    while (socket.readableLength < socket.readableHighWaterMark) {
      assert.equal(received, 'a');
      await new Promise(setImmediate);
    }
    const buffered = socket.readableLength;
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    assert.equal(socket.readableLength, buffered);
    assert.equal(received, 'a');
    socket.resume();
    await arrives(`a${text}`);
    client.end();
    await once(socket, 'end');
  });

  test('keep their order and are neither lost nor doubled, however it is paused and resumed', async () => {
    const step = fc.oneof(
      fc.record({ push: fc.string({ minLength: 1, maxLength: 5 }) }),
      fc.constantFrom('pause', 'resume', 'turn'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, fussy) => {
        const socket = new net.Socket();
        let received = '';
        let sent = '';
        onChunk(socket, (chunk) => {
          // What is paused in a chunk gets the next one after the next turn.
          assert.ok(!socket.isPaused());
          received += chunk;
          if (!fussy) return;
          socket.pause();
          setImmediate(() => socket.resume());
        });
        for (const step of steps) {
          if (step === 'pause') socket.pause();
          else if (step === 'resume') socket.resume();
          else if (step === 'turn') await new Promise(setImmediate);
          else {
            sent += step.push;
            socket.push(Buffer.from(step.push));
          }
        }
        socket.resume();
        const ended = once(socket, 'end');
        socket.push(null);
        await ended;
        assert.equal(received, Buffer.from(sent).toString());
        socket.destroy();
      }),
      { numRuns: 100 },
    );
  });
});

test('chunks of any other stream are those of its event', async () => {
  const stream = new PassThrough();
  let received = '';
  onChunk(stream, (chunk) => {
    received += chunk;
  });
  stream.write('a');
  stream.end('b');
  await once(stream, 'end');
  assert.equal(received, 'ab');
});
