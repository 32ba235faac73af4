import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionLost } from '../../lib/asyncrpc/client/channel.ts';
import { connectClient } from '../../lib/asyncrpc/client/client.ts';
import { AddressError, InvokeError } from '../../lib/errors.ts';
import { connectHashClient } from '../../lib/hashserv/client.ts';
import { connectPrClient } from '../../lib/prserv/client.ts';
import { clientOf, fakeServer, type Peer } from './client-helpers.ts';

const RESENDABLE = new Set(['get', 'get-stream']);

/** Answers each line with itself, once it is told to. */
function held() {
  const lines: { line: string; peer: Peer }[] = [];
  const waiting: (() => void)[] = [];
  return {
    script(line: string, peer: Peer) {
      lines.push({ line, peer });
      for (const wake of waiting.splice(0)) wake();
    },
    /** Resolves once so many lines have come. */
    async heard(count: number) {
      while (lines.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return lines.map(({ line }) => line);
    },
    answer() {
      for (const { line, peer } of lines.splice(0)) peer.say(JSON.stringify(line));
    },
  };
}

test('a call that is aborted rejects with the reason; those before and after it get their own answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (aborted) => {
      const server = held();
      const { client, connections } = clientOf(server.script);
      const reason = new Error('not wanted any more');
      const ends = aborted.map(() => new AbortController());
      const calls = aborted.map((_, i) => client.invoke('get', { i }, { signal: ends[i]!.signal }));
      const settled = Promise.allSettled(calls);
      await server.heard(aborted.length);
      for (const [i, gone] of aborted.entries()) if (gone) ends[i]!.abort(reason);
      server.answer();
      const expected = aborted.map((gone, i) =>
        gone ? { status: 'rejected', reason } : { status: 'fulfilled', value: `{"get": {"i": ${i}}}` },
      );
      assert.deepEqual(await settled, expected);
      assert.equal(connections(), 1);
      client.close();
    }),
    { numRuns: 50 },
  );
});

test('a call with a signal that is aborted already sends nothing', async () => {
  const server = held();
  const { client, connections } = clientOf(server.script);
  const reason = new Error('too late');
  await assert.rejects(client.invoke('report', {}, { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(connections(), 0);
  await client.ready();
  await assert.rejects(client.invoke('report', {}, { signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(client.stream('get-stream', ['a'], { signal: AbortSignal.abort(reason) }), reason);
  const next = client.invoke('get', {});
  assert.deepEqual(await server.heard(1), ['{"get": {}}']);
  server.answer();
  await next;
  client.close();
});

test('a request that was aborted is not sent again on a new connection', async () => {
  const server = held();
  let hangUp = () => {};
  const { client } = clientOf(
    (line, peer, connection) => {
      if (connection === 1) hangUp = () => peer.hangUp();
      server.script(line, peer);
    },
    { resendable: RESENDABLE },
  );
  const end = new AbortController();
  const gone = client.invoke('get', { gone: 1 }, { signal: end.signal });
  const stays = client.invoke('get', { stays: 1 });
  await server.heard(2);
  end.abort();
  await assert.rejects(gone, { name: 'AbortError' });
  hangUp();
  assert.deepEqual((await server.heard(3)).slice(2), ['{"get": {"stays": 1}}']);
  server.answer();
  assert.equal(await stays, '{"get": {"stays": 1}}');
  client.close();
});

test('a stream that is aborted rejects, wherever it is, and the client goes on on a new connection', async () => {
  const silent = ['nothing', '{"get-stream": null}', 'b', 'END'];
  for (const mute of silent) {
    const end = new AbortController();
    const { client, connections } = clientOf((line, peer, connection) => {
      if (connection > 1 || line !== mute) return peer.say(line.startsWith('{') ? '"ok"' : `${line}!`);
      setImmediate(() => end.abort());
    });
    async function* lines() {
      yield ['a'];
      yield ['b'];
      if (mute !== 'nothing') return;
      setImmediate(() => end.abort());
      // A source that never gives more must not keep the stream waiting.
      await new Promise(() => {});
    }
    const answers: string[] = [];
    const stream = async () => {
      for await (const batch of client.streamBatches('get-stream', lines(), { signal: end.signal })) {
        answers.push(...batch.answers);
      }
    };
    // Every answer is there when the server is silent after END: then there is nothing left to give up.
    if (mute === 'END') await stream();
    else await assert.rejects(stream(), { name: 'AbortError' }, mute);
    assert.deepEqual(answers, mute === 'b' ? ['a!'] : mute.startsWith('{') ? [] : ['a!', 'b!'], mute);
    assert.equal(await client.invoke('get', {}), 'ok');
    assert.equal(connections(), 2, mute);
    client.close();
  }
});

test('a stream that is aborted while it waits for its turn lets those behind it wait for those before it', async () => {
  const heard: string[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { client, connections } = clientOf((line, peer) => {
    heard.push(line);
    peer.say(line.startsWith('{') ? '"ok"' : `${line}!`);
  });
  async function* slow() {
    yield ['a'];
    await gate;
    yield ['b'];
  }
  const first = client.streamBatches('get-stream', slow());
  assert.deepEqual((await first.next()).value, { asked: ['a'], answers: ['a!'] });
  const end = new AbortController();
  const second = client.stream('get-stream', ['never'], { signal: end.signal });
  end.abort();
  await assert.rejects(second, { name: 'AbortError' });
  const third = client.stream('get-stream', ['c']);
  const request = client.invoke('get', {});
  release();
  for await (const _ of first);
  assert.deepEqual(await third, ['c!']);
  assert.equal(await request, 'ok');
  const enter = '{"get-stream": null}';
  assert.deepEqual(heard.filter((line) => line !== '{"get": {}}').join(' '), `${enter} a b END ${enter} c END`);
  assert.equal(connections(), 1);
  client.close();
});

test('one signal for very many calls keeps no listener, and nobody is warned of a leak', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const end = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  end.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(end.signal, args);
  };
  end.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(end.signal, args);
  };
  const { client } = clientOf((_line, peer) => peer.say('1'));
  await Promise.all(Array.from({ length: 1000 }, (_, i) => client.invoke('get', { i }, { signal: end.signal })));
  await new Promise(setImmediate);
  assert.equal(listeners, 0);
  assert.deepEqual(warnings, []);
  process.off('warning', note);
  client.close();
});

test('a signal among the options closes the client: what waits rejects with its reason, nothing new is sent', async () => {
  const server = held();
  const end = new AbortController();
  const { client } = clientOf(server.script, { signal: end.signal, resendable: RESENDABLE });
  const calls = Promise.allSettled([client.invoke('get', { key: 1 }), client.invoke('get', { key: 2 })]);
  await server.heard(2);
  const reason = new Error('the build is over');
  end.abort(reason);
  assert.deepEqual(await calls, [
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  await assert.rejects(client.invoke('get', {}), reason);
});

test('a client is closed at once while it connects, whatever it waits for', async (t) => {
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  t.after(() => silent.close());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as net.AddressInfo;
  // A login that is never answered, and a WebSocket handshake.
  const attempts = [
    (signal: AbortSignal) => connectHashClient(`127.0.0.1:${port}`, { signal, login: { username: 'u', token: 't' } }),
    (signal: AbortSignal) => connectPrClient(`ws://127.0.0.1:${port}`, { signal, connectTimeoutMs: 3_600_000 }),
  ];
  for (const attempt of attempts) {
    const end = new AbortController();
    const connected = once(silent, 'connection');
    const client = attempt(end.signal);
    client.catch(() => {});
    const [socket] = (await connected) as [Duplex];
    const closed = once(socket, 'close');
    // What it waits for from here on is an answer that never comes.
    let text = '';
    while (!/auth|Upgrade/.test(text)) text += (await once(socket, 'data'))[0];
    end.abort();
    await assert.rejects(client, { name: 'AbortError' });
    await closed;
  }
  let dials = 0;
  const dial = () => {
    dials++;
    return Promise.reject(new AddressError('nobody'));
  };
  const options = { signal: AbortSignal.abort(), dial, protocol: 'X 1.0' };
  await assert.rejects(connectClient('unix://x', options), { name: 'AbortError' });
  assert.equal(dials, 0);
});

test('a client that is closed while it waits to connect again waits no longer', async () => {
  let dials = 0;
  let dialled = () => {};
  const server = fakeServer((_line, peer) => peer.hangUp());
  const dial = () => {
    if (++dials === 1) return server.dial();
    dialled();
    return Promise.reject(new AddressError('nobody is listening'));
  };
  const second = new Promise<void>((resolve) => {
    dialled = resolve;
  });
  // An hour until the third attempt.
  const client = await connectHashClient('unix://x', { dial, reconnectDelayMs: 3_600_000 });
  const call = client.get('m', 't');
  call.catch(() => {});
  await second;
  await new Promise(setImmediate);
  client.close();
  await assert.rejects(call, ConnectionLost);
});

test('a client is closed at the end of its block', async () => {
  const { client } = clientOf((_line, peer) => peer.say('1'));
  {
    await using inner = client;
    assert.equal(await inner.invoke('get', {}), 1);
  }
  await assert.rejects(client.invoke('get', {}), /closed here/);
});

test('an address is a text as well; one that cannot be read is an AddressError', async () => {
  const { dial } = fakeServer((_line, peer) => peer.say('null'));
  for (const address of ['unix:///run/hash.sock', { kind: 'unix', path: '/run/hash.sock' }] as const) {
    await using hashes = await connectHashClient(address, { dial });
    assert.equal(await hashes.get('m', 't'), null);
    await using prs = await connectPrClient(address, { dial });
    assert.equal(await prs.maxPackagePr('a-1-r0', 'all'), null);
  }
  for (const connect of [connectHashClient, connectPrClient]) {
    await assert.rejects(connect('unix:/run/hash.sock', { dial }), AddressError);
  }
});

test('a request without history is sent without it', async () => {
  const heard: string[] = [];
  const { dial } = fakeServer((line, peer) => {
    heard.push(line);
    peer.say(line.includes('export') ? '{"metainfo": {}, "datainfo": []}' : '{"value": null}');
  });
  await using prs = await connectPrClient('unix://x', { dial });
  const key = { version: 'a-1-r0', pkgarch: 'all', checksum: 'c' };
  // Null, and not the text 'null': a read-only server of another make has no value to give.
  assert.equal(await prs.getPr(key), null);
  assert.equal(await prs.testPr(key, true), null);
  await prs.exportRows();
  await prs.exportRows({ version: 'a-1-r0' }, { history: false });
  const start = '"version": "a-1-r0", "pkgarch": "all", "checksum": "c"';
  assert.deepEqual(heard, [
    `{"get-pr": {${start}}}`,
    `{"test-pr": {${start}, "history": true}}`,
    '{"export": {"version": null, "pkgarch": null, "checksum": null, "colinfo": false}}',
    '{"export": {"version": "a-1-r0", "pkgarch": null, "checksum": null, "colinfo": false, "history": false}}',
  ]);
});

test('tasks are asked for by method and taskhash; what would be read as another task is refused, and nothing is sent', async () => {
  const { dial } = fakeServer((line, peer) => peer.say(line.startsWith('{') ? '"ok"' : line === 'm t' ? 'u' : ''));
  await using hashes = await connectHashClient('unix://x', { dial });
  const tasks = [
    { method: 'm', taskhash: 't' },
    { method: 'm', taskhash: 'x' },
  ];
  assert.deepEqual(await hashes.getUnihashes(tasks), ['u', null]);
  for (const word of ['', 'm t', 'm\n', '\tm', 'm\0']) {
    for (const bad of [
      { method: word, taskhash: 't' },
      { method: 'm', taskhash: word },
    ]) {
      await assert.rejects(hashes.getUnihashes([...tasks, bad]), InvokeError);
    }
  }
});
