import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type LoadOptions, runLoad } from '../../bench/generator.ts';
import { hashOf, TASKHASH, UNIHASH } from '../../bench/keys.ts';
import { load } from '../../bench/processes.ts';

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

const unihashes = new Map(Array.from({ length: 100 }, (_, key) => [hashOf(key, TASKHASH), hashOf(key, UNIHASH)]));
const unihashFor = (line: string) => unihashes.get(line.slice(-64))!;

test('every answer is counted once, however the lines are cut', async (t) => {
  for (const piece of [1, 7, 64, 65, 1000]) {
    const server = await serving(t, (line, nth) => (nth % 4 === 0 ? '' : unihashFor(line)), piece);
    const result = await runLoad({ ...LOAD, address: server.address });
    assert.deepEqual([result.requests, result.hits, result.misses, result.wrong], [100, 75, 25, 0]);
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

/** The answers of a server that gives two neighbours' answers the wrong way round, once. */
function swapping(answer: (line: string) => string): (line: string, nth: number) => string {
  let held = '';
  return (line, nth) => {
    // Both are in flight: 41 is answered with what 42 is to be answered.
    if (nth === 41) held = answer(line);
    return nth === 42 ? held : answer(line);
  };
}

test('an answer that belongs to another request is wrong, of look-ups, reports and PR values', async (t) => {
  const one = { ...LOAD, connections: 1, keys: 100 };
  const lookUps = await serving(t, swapping(unihashFor));
  assert.equal((await runLoad({ ...one, address: lookUps.address })).wrong, 1);

  const reply = (line: string) => `{"taskhash": "${line.split('"')[5]}", "method": "m", "unihash": "u"}`;
  const reports = await serving(t, swapping(reply));
  assert.equal((await runLoad({ ...one, address: reports.address, mode: 'report' })).wrong, 1);
  const rightly = await serving(t, reply);
  assert.equal((await runLoad({ ...one, address: rightly.address, mode: 'report' })).wrong, 0);

  const value = (offset: number) => (line: string) => `{"value": "${(line.length + offset) % 7}"}`;
  const sameForAll = await serving(t, value(0));
  const keys = { keys: 2000, requests: 2000 };
  const repeated = await runLoad({ ...one, ...keys, address: sameForAll.address, mode: 'getpr' });
  assert.equal(repeated.wrong, 1000, 'each package gave two checksums one value');
  let given = 0;
  const growing = await serving(t, () => `{"value": "${given++}"}`);
  assert.equal((await runLoad({ ...one, ...keys, address: growing.address, mode: 'getpr' })).wrong, 0);
});

test('a server that only echoes is measured unchecked', async (t) => {
  const server = await serving(t, () => '0'.repeat(64));
  assert.equal((await runLoad({ ...LOAD, address: server.address, unchecked: true })).wrong, 0);
  assert.equal((await runLoad({ ...LOAD, address: server.address })).wrong, 100);
});

test('the load generator as a program ends with status 1 when an answer is wrong, and so does the bench', async (t) => {
  const server = await serving(t, () => '0'.repeat(64));
  const request = { mode: 'get', shape: { connections: 1, depth: 2 }, offset: 0, keys: 10, requests: 10 } as const;
  await assert.rejects(load(server.address, null, request), (error: Error & { code?: number }) => {
    assert.equal(error.code, 1);
    return /10 of 10 answers belong to other requests/.test(error.message);
  });
  assert.equal((await load(server.address, null, { ...request, unchecked: true })).hits, 10);
});

test('a generator of others that found wrong answers, or looked for none, fails the measurement', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-bench-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const generator = path.join(folder, 'loadgen');
  const saying = (result: object) =>
    fs.writeFileSync(generator, `#!/bin/sh\necho '${JSON.stringify(result)}'\n`, { mode: 0o755 });
  const request = { mode: 'get', shape: { connections: 1, depth: 2 }, offset: 0, keys: 10, requests: 10 } as const;
  saying({ requests: 10, hits: 10, misses: 0, wrong: 0 });
  assert.equal((await load('unix:none', generator, request)).hits, 10);
  saying({ requests: 10, hits: 10, misses: 0, wrong: 2 });
  await assert.rejects(load('unix:none', generator, request), /2 of 10 answers belong to other requests/);
  saying({ requests: 10, hits: 10, misses: 0 });
  await assert.rejects(load('unix:none', generator, request), /does not check answers/);
});
