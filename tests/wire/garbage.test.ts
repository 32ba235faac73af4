import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { startServer } from '../../lib/server.ts';
import { configIn, hash, METHOD, temporaryFolder, WireClient } from './helpers.ts';
import { recordLog } from './log-recorder.ts';

/** Pieces that lead into every state there is, and break off there: alone they are right, in a row they hardly ever are. */
const report = { method: METHOD, taskhash: 't', outhash: 'o', unihash: hash(1) };
const WORDS = [
  'OEHASHEQUIV 1.1\n\n',
  'PRSERVICE 1.0\n\n',
  'OEHASHEQUIV 1.1\nbakeserv-errors: tell\nbakeserv-via: 00/9/x\n\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /ws HTTP/1.1\r\nContent-Length: 9\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  '\u0081\u0085\u0000\u0000\u0000\u0000hello',
  '\u0001\u00fe\u00ff\u00ff',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
  `${JSON.stringify({ report })}\n`,
  '{"get-stream": null}\n',
  '{"gc-mark-stream": null}\n',
  `${METHOD} t\n`,
  'END\n',
  '{"chunk-stream": null}\n',
  '{"get": {"method": "m", "taskhash": ["', // never closed
  '{"id": 1, "method": "get-pr", "params": {"version": "v", "pkgarch": "p", "checksum": "c"}}\n',
  '{"remove": {"where": {"__proto__": {"method": "m"}, "constructor": "x"}}}\n',
  '{"auth": {"username": "\\u001b[2J", "token": "t"}}\n',
  '"\\ud800"\n',
  '\u001b]0;owned\u0007\n',
  '\n',
  '\r\n\r\n',
  '\u0000',
];
const words = fc.constantFrom(...WORDS).map((text) => Buffer.from(text, 'latin1'));
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const conversation = fc.array(fc.oneof({ arbitrary: words, weight: 4 }, { arbitrary: bytes, weight: 1 }), {
  minLength: 1,
  maxLength: 8,
});

describe('whatever bytes come', () => {
  for (const kind of ['', 'ws://', 'http://']) {
    test(`to a ${kind || 'raw'} listener, nothing unforeseen happens, others are answered and the log stays whole`, async (t) => {
      const { log, lines } = recordLog();
      const bind = [`${kind}127.0.0.1:0`, `unix://${temporaryFolder(t)}/s`];
      const server = await startServer(
        configIn(temporaryFolder(t), { bind, 'sync-mode': 'on_shutdown' }, { loginFailureDelayMs: 1 }),
        log,
      );
      t.after(() => server.close());
      const [door, other] = server.listeners.map(({ address }) => address);
      assert.ok(door && 'port' in door && other?.kind === 'unix');
      const neighbour = new WireClient(net.connect(other.path)).handshake();
      await fc.assert(
        fc.asyncProperty(conversation, fc.boolean(), async (pieces, inPieces) => {
          const socket = net.connect(door.port, '127.0.0.1');
          socket.on('error', () => {});
          const closed = new Promise((resolve) => socket.once('close', resolve));
          socket.resume();
          for (const piece of inPieces ? pieces : [Buffer.concat(pieces)]) {
            socket.write(piece);
            assert.deepEqual(await neighbour.ask('ping', {}), { alive: true });
          }
          socket.end();
          await neighbour.ask('ping', {});
          socket.destroy();
          await closed;
        }),
        { numRuns: 150 },
      );
      neighbour.close();
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      const bad = lines.filter((line) => /^error|TypeError|RangeError|[\x00-\x1f\x7f-\x9f]/.test(line));
      assert.deepEqual(bad, []);
    });
  }
});
