import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLost } from '../../lib/asyncrpc/client/channel.ts';
import { type Client, createClient } from '../../lib/asyncrpc/client/client.ts';
import { AddressError, InvokeError, ProtocolError } from '../../lib/errors.ts';
import { connectHashClient } from '../../lib/hashserv/client.ts';
import { connectPrClient } from '../../lib/prserv/client.ts';
import { duplexPair } from '../wire/helpers.ts';
import { clientOf, fakeServer, type Script, serve } from './client-helpers.ts';

const RESENDABLE = new Set(['get', 'get-stream']);
const get = (client: Client, key: number) => client.invoke('get', { key });

test('requests are sent without waiting and answered in order', async () => {
  const asked: string[] = [];
  const { client } = clientOf((line, peer) => {
    asked.push(line);
    if (asked.length === 3)
      peer.say('1', '{"chunk-stream": null}', '[2, ', '2]', '', '{"invoke-error": {"message": "no"}}');
  });
  const answers = await Promise.allSettled([get(client, 1), get(client, 2), get(client, 3)]);
  assert.deepEqual(asked, ['{"get": {"key": 1}}', '{"get": {"key": 2}}', '{"get": {"key": 3}}']);
  assert.deepEqual(
    answers.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message)),
    [1, [2, 2], 'no'],
  );
  client.close();
});

test('what was lost on the way is sent again on a new connection, in order', async () => {
  const again: string[] = [];
  const { client, connections } = clientOf(
    (line, peer, connection) => {
      if (connection === 1) return line.includes('2') ? peer.hangUp() : peer.say('"first"');
      again.push(line);
      peer.say('"second"');
    },
    { resendable: RESENDABLE },
  );
  assert.deepEqual(await Promise.all([get(client, 1), get(client, 2), get(client, 3)]), ['first', 'second', 'second']);
  assert.deepEqual(again, ['{"get": {"key": 2}}', '{"get": {"key": 3}}']);
  assert.equal(connections(), 2);
  client.close();
});

test('what must not be done twice is not sent again, and the client goes on', async () => {
  const { client } = clientOf((line, peer) => (line.includes('gc-sweep') ? peer.hangUp() : peer.say('"ok"')), {
    resendable: RESENDABLE,
  });
  await assert.rejects(client.invoke('gc-sweep', { mark: 'm' }), ConnectionLost);
  assert.equal(await get(client, 1), 'ok');
  client.close();
});

test('a request that makes the server hang up is not sent for ever', async () => {
  const { client, connections } = clientOf((line, peer) => (line.includes('666') ? peer.hangUp() : peer.say('1')), {
    resendable: RESENDABLE,
    reconnects: 3,
  });
  assert.equal(await get(client, 1), 1);
  await assert.rejects(get(client, 666), ConnectionLost);
  assert.equal(connections(), 4);
  client.close();
});

test('a server that is gone for good is told once the attempts are used up', async () => {
  let dials = 0;
  const client = createClient(
    { kind: 'unix', path: 'gone' },
    {
      protocol: 'OEHASHEQUIV 1.1',
      resendable: RESENDABLE,
      reconnectDelayMs: 1,
      async dial() {
        if (dials++ > 0) throw new AddressError('cannot connect to unix://gone: nobody is listening');
        const [near, far] = duplexPair();
        serve(far, (_line, peer) => peer.hangUp(), 1);
        return { stream: near, chunked: true };
      },
    },
  );
  await assert.rejects(get(client, 1), /cannot connect to unix:\/\/gone/);
  assert.equal(dials, 6);
});

test('a login is made on every connection, before anything else', async () => {
  const heard: string[] = [];
  const { client } = clientOf(
    (line, peer, connection) => {
      heard.push(`${connection} ${line}`);
      if (connection === 1 && line.includes('get')) peer.hangUp();
      else peer.say('true');
    },
    { resendable: RESENDABLE, onConnect: async (ask) => void (await ask('auth', {})) },
  );
  await Promise.all([get(client, 1), get(client, 2)]);
  assert.deepEqual(heard.slice(0, 2), ['1 {"auth": {}}', '1 {"get": {"key": 1}}']);
  assert.deepEqual(heard.slice(-3), ['2 {"auth": {}}', '2 {"get": {"key": 1}}', '2 {"get": {"key": 2}}']);
  client.close();
});

test('a refused login rejects with what the server said', async () => {
  const { client } = clientOf(
    (_line, peer) => peer.say('{"invoke-error": {"message": "Unable to authenticate as x"}}'),
    {
      onConnect: async (ask) => void (await ask('auth', {})),
    },
  );
  await assert.rejects(get(client, 1), { name: 'InvokeError', message: 'Unable to authenticate as x' });
});

/** Answers streams with `<line>!`. */
const echo: Script = (line, peer) => peer.say(line.startsWith('{') ? '"ok"' : line === 'END' ? 'ok' : `${line}!`);

/** No server that is well says these, all of which are JSON. */
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const NO_TEXTS = ['{"toString": 1}', nested(60), 'null', '7'];

test('a refusal whose message is no text is a refusal still, of a request and of a stream', async () => {
  for (const message of NO_TEXTS) {
    const refusal = `{"invoke-error": {"message": ${message}}}`;
    const { client, connections } = clientOf((line, peer) => {
      const refused = line === 'a line' || line.includes('"key"');
      peer.say(refused ? refusal : '"ok"');
      if (line === 'a line') peer.hangUp();
    });
    const why = new InvokeError('the server refused and did not say why');
    await assert.rejects(get(client, 1), why);
    assert.equal(await client.invoke('ping', {}), 'ok');
    assert.equal(connections(), 1, 'in step still');
    await assert.rejects(client.stream('get-stream', ['a line']), why);
    client.close();
  }
});

test('a reply nested deeper than any that is well is no reply: the next request has a new connection', async () => {
  const { client, connections } = clientOf((line, peer) => {
    const refused = line === 'a line' || line.includes('"key"');
    peer.say(refused ? `{"invoke-error": {"message": ${nested(50_000)}}}` : '"ok"');
    if (line === 'a line') peer.hangUp();
  });
  const why = new ProtocolError('the server sent JSON nested deeper than 64');
  await assert.rejects(get(client, 1), why);
  assert.equal(await client.invoke('ping', {}), 'ok');
  assert.equal(connections(), 2);
  await assert.rejects(client.stream('get-stream', ['a line']), why);
  client.close();
});

test('a stream takes any number of lines in bounded memory', async () => {
  const { client } = clientOf(echo);
  let taken = 0;
  let answered = 0;
  let ahead = 0;
  function* lines() {
    for (; taken < 100_000; taken++) yield `line ${taken}`;
  }
  for await (const answer of client.streamLines('get-stream', lines())) {
    ahead = Math.max(ahead, taken - answered);
    if (answer !== `line ${answered++}!`) assert.fail(`${answer} in place ${answered}`);
  }
  assert.equal(answered, 100_000);
  assert.ok(ahead < 20_000, `${ahead} lines were taken ahead of what was read`);
  assert.equal(await client.invoke('get', {}), 'ok');
  client.close();
});

test('a stream answers what is there before its source gives more', async () => {
  const { client } = clientOf(echo);
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* slow() {
    yield 'one';
    await gate;
    yield 'two';
  }
  const stream = client.streamLines('get-stream', slow());
  assert.deepEqual(await stream.next(), { done: false, value: 'one!' });
  release();
  assert.deepEqual(await stream.next(), { done: false, value: 'two!' });
  assert.equal((await stream.next()).done, true);
  client.close();
});

test('a stream that is cut goes on where it was, on a new connection', async () => {
  const { client, connections } = clientOf(
    (line, peer, connection) =>
      connection < 3 && line === `line ${connection * 3000}` ? peer.hangUp() : echo(line, peer, connection),
    { resendable: RESENDABLE },
  );
  const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}`);
  assert.deepEqual(
    await client.stream('get-stream', lines),
    lines.map((line) => `${line}!`),
  );
  assert.equal(connections(), 3);
  client.close();
});

test('a bad line ends a stream with what the server said, and the client goes on', async () => {
  const { client } = clientOf((line, peer, connection) => {
    if (line !== 'bad') return echo(line, peer, connection);
    peer.say('{"invoke-error": {"message": "Bad line"}}');
    peer.hangUp();
  });
  const answers: string[] = [];
  await assert.rejects(async () => {
    for await (const answer of client.streamLines('get-stream', ['good', 'bad', 'good'])) answers.push(answer);
  }, new InvokeError('Bad line'));
  assert.equal(await client.invoke('get', {}), 'ok');
  client.close();
});

test('a refused stream leaves the connection as it is', async () => {
  const { client, connections } = clientOf((line, peer) =>
    peer.say(line.includes('stream') ? '{"invoke-error": {"message": "denied"}}' : '"ok"'),
  );
  await assert.rejects(client.stream('gc-mark-stream', ['x']), new InvokeError('denied'));
  assert.equal(await client.invoke('get', {}), 'ok');
  assert.equal(connections(), 1);
  client.close();
});

test('whoever stops reading a stream early can go on using the client', async () => {
  const { client } = clientOf(echo);
  for await (const answer of client.streamLines('get-stream', ['a', 'b', 'c'])) {
    assert.equal(answer, 'a!');
    break;
  }
  assert.equal(await client.invoke('get', {}), 'ok');
  assert.deepEqual(await client.stream('get-stream', ['d']), ['d!']);
  client.close();
});

test('requests made during a stream come after it, streams one after the other', async () => {
  const heard: string[] = [];
  const { client } = clientOf((line, peer, connection) => {
    heard.push(line);
    echo(line, peer, connection);
  });
  await Promise.all([client.stream('get-stream', ['a']), client.invoke('get', {}), client.stream('get-stream', ['b'])]);
  const stream = (line: string) => ['{"get-stream": null}', line, 'END'];
  assert.deepEqual(
    heard.filter((line) => line !== '{"get": {}}'),
    [...stream('a'), ...stream('b')],
  );
  assert.ok(heard.indexOf('{"get": {}}') > 2, heard.join(' '));
  client.close();
});

test('a line that would end the stream, or be two, is refused', async () => {
  for (const line of ['END', 'END ', 'END\r', 'END\t\u3000', 'a\nb']) {
    const { client } = clientOf(echo);
    await assert.rejects(client.stream('get-stream', [line]), /cannot be a line of a stream/);
    client.close();
  }
});

test('a server that hangs up at once is asked about its protocol', async () => {
  const { client } = clientOf((_line, peer) => peer.hangUp());
  await assert.rejects(get(client, 1), /closed by the server: it did not answer; does it speak this protocol\?/);
});

test('a reply that cannot be read ends the connection: nobody knows where the next begins', async () => {
  const { client, connections } = clientOf((line, peer, connection) =>
    connection === 1 && line.includes('1') ? peer.say('nonsense', '2') : peer.say('"fine"'),
  );
  const answers = await Promise.allSettled([get(client, 1), get(client, 2)]);
  assert.deepEqual(
    answers.map((each) => each.status === 'rejected' && each.reason.message),
    ['the server sent malformed JSON', 'the server sent malformed JSON'],
  );
  assert.equal(await get(client, 3), 'fine');
  assert.equal(connections(), 2);
  client.close();
});

test('a server that owes an answer and says nothing counts as lost, one that owes nothing does not', async () => {
  const { client, connections } = clientOf((line, peer) => line.includes('1') && peer.say('1'), {
    answerTimeoutMs: 40,
  });
  assert.equal(await get(client, 1), 1);
  await assert.rejects(get(client, 2), /unix:\/\/fake has not answered for 0\.04 s/);
  assert.equal(await get(client, 1), 1);
  assert.equal(connections(), 2);
  client.close();
});

test('a command that only bakeserv has is told as such by a server that does not know it', async () => {
  const unknown: Script[] = [
    (_line, peer) => peer.say('{"invoke-error": {"message": "Unknown command \\"x\\""}}'),
    (_line, peer) => peer.hangUp(),
  ];
  for (const script of unknown) {
    const { dial } = fakeServer(script);
    const client = await connectHashClient({ kind: 'unix', path: 'fake' }, { dial, reconnectDelayMs: 1 });
    await assert.rejects(
      client.exportRows('unihashes', 0),
      new InvokeError('the server does not know export-rows: it is not bakeserv, or an older one'),
    );
    await assert.rejects(async () => {
      for await (const _ of client.countAll([{ unihash: 'x' }]));
    }, /does not know count-stream/);
    client.close();
  }
});

test('a connection that is lost otherwise than by a close without a word says nothing of what the server knows', async () => {
  const lost: readonly (readonly [Script, RegExp])[] = [
    [(_line, peer) => peer.reset(), /lost: connection reset by peer/],
    [
      (_line, peer) => {
        peer.say('{"chunk-stream": null}', '{"count"');
        peer.hangUp();
      },
      /closed by the server/,
    ],
  ];
  for (const [script, said] of lost) {
    // What was asked before had its answer: it is the second request that meets this.
    const server: Script = (line, ...rest) => (line.includes('ping') ? rest[0].say('1') : script(line, ...rest));
    const { dial } = fakeServer(server);
    const hash = await connectHashClient({ kind: 'unix', path: 'fake' }, { dial, reconnectDelayMs: 1 });
    const pr = await connectPrClient({ kind: 'unix', path: 'fake' }, { dial, reconnectDelayMs: 1 });
    const attempts = [
      () => hash.exportRows('unihashes', 0),
      async () => {
        for await (const _ of hash.countAll([{ unihash: 'x' }]));
      },
      () => pr.removeRows({}),
      () => pr.importRows([]),
    ];
    for (const attempt of attempts) {
      await assert.rejects(attempt, (error: Error) => {
        assert.doesNotMatch(error.message, /does not know/);
        assert.match(error.message, said);
        return true;
      });
    }
    hash.close();
    pr.close();
  }
});

test('a server that took the command of a stream and then hangs up knows it', async () => {
  const { dial } = fakeServer((line, peer) => (line.includes('count-stream') ? peer.say('"ok"') : peer.hangUp()));
  const client = await connectHashClient({ kind: 'unix', path: 'fake' }, { dial, reconnectDelayMs: 1 });
  await assert.rejects(async () => {
    for await (const _ of client.countAll([{ unihash: 'x' }]));
  }, /was closed by the server$/);
  client.close();
});

test('a closed client refuses, and what was under way rejects', async () => {
  const { client } = clientOf((line, peer) => (line.includes('1') ? peer.say('1') : undefined), {
    resendable: RESENDABLE,
  });
  await get(client, 1);
  const pending = get(client, 2);
  client.close();
  await assert.rejects(pending, /closed here/);
  await assert.rejects(get(client, 1), /closed here/);
});
