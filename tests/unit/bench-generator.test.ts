import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type LoadOptions, runLoad } from '../../bench/generator.ts';

const LOAD: Omit<LoadOptions, 'address'> = {
  mode: 'get',
  connections: 3,
  depth: 4,
  requests: 100,
  keys: 30,
  offset: 0,
  salt: 0,
  oneShot: false,
  timeBoundMs: 60_000,
};

/** Serves every line after the empty one by `answer`, sent in pieces of `piece` bytes; returns the lines asked. */
async function serving(
  t: { after(fn: () => void): void },
  answer: (line: string, nth: number) => string,
  piece = 1000,
): Promise<{ address: string; asked: string[]; connections: () => number }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-bench-'));
  const asked: string[] = [];
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    let rest = '';
    let greeted = false;
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      rest += text;
      const lines = rest.split('\n');
      rest = lines.pop()!;
      let out = '';
      for (const line of lines) {
        if (line === '') greeted = true;
        else if (greeted && line.endsWith('-stream": null}')) out += '"ok"\n';
        else if (greeted) out += `${answer(line, asked.push(line))}\n`;
      }
      for (let at = 0; at < out.length; at += piece) socket.write(out.slice(at, at + piece), 'latin1');
    });
  });
  const socket = path.join(folder, 's');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => {
    server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return { address: `unix:${socket}`, asked, connections: () => connections };
}

test('every answer is counted once, however the lines are cut', async (t) => {
  for (const piece of [1, 7, 64, 65, 1000]) {
    const server = await serving(t, (_line, nth) => (nth % 4 === 0 ? '' : '0'.repeat(64)), piece);
    const result = await runLoad({ ...LOAD, address: server.address });
    assert.deepEqual([result.requests, result.hits, result.misses], [100, 75, 25]);
    assert.equal(server.asked.length, 100);
    assert.equal(new Set(server.asked).size, 30, 'the keys are asked in turn, again and again');
  }
});

test('an invoke-error is a miss, any other reply a hit', async (t) => {
  const server = await serving(t, (_line, nth) =>
    nth % 10 === 0 ? '{"invoke-error": {"message": "no"}}' : '{"value": "1"}',
  );
  const result = await runLoad({ ...LOAD, address: server.address, mode: 'getpr' });
  assert.deepEqual([result.hits, result.misses], [90, 10]);
});

test('a one-shot request has a connection of its own', async (t) => {
  const server = await serving(t, () => '{"alive": true}');
  const result = await runLoad({ ...LOAD, address: server.address, mode: 'ping', depth: 1, oneShot: true });
  assert.equal(result.hits, 100);
  assert.equal(server.connections(), 100);
});

test('a stream that is answered with an error ends the measurement with its text', async (t) => {
  const server = await serving(t, () => '{"invoke-error": {"message": "storage full"}}');
  await assert.rejects(runLoad({ ...LOAD, address: server.address }), /storage full.*of 100 requests were answered/);
});
