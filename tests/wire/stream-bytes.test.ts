import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { taskOf, unihashOf } from './conversations.ts';
import { hash, MEMORY, serve, TCP, UNIX, type WireClient } from './helpers.ts';
import { type Exchange, keepWindow, PacedClient, type Random, request, streamed, withSeed } from './paced.ts';
import { site } from './upstream-helpers.ts';

/** Room for every row in the table of bytes. */
const FLAGS = { 'cache-size': '8MiB' };
const KNOWN = 200;

type Line = readonly [string, string];

/** Lines of get-stream: known from their bytes, known as strings, asked of the database, unknown; each with its answer. */
function taskLine(random: Random): Line {
  const n = random(KNOWN);
  return [
    [`m ${taskOf(n)}`, unihashOf(n)],
    [`m ${taskOf(n)}`, unihashOf(n)],
    [`m ${taskOf(n)}`, unihashOf(n)],
    [`m ${taskOf(n)} \t`, unihashOf(n)],
    [`other ${taskOf(n)}`, unihashOf(n + 1)],
    [`m t${n}`, unihashOf(n)],
    [`m ${taskOf(KNOWN + n)}`, ''],
    [`unknown ${taskOf(n)}`, ''],
    [`é ${taskOf(n)}`, ''],
    [`m ${taskOf(n).toUpperCase()}`, ''],
  ][random(10)] as unknown as Line;
}

function unihashLine(random: Random): Line {
  const n = random(KNOWN);
  return [
    [unihashOf(n), 'true'],
    [unihashOf(n), 'true'],
    [`${unihashOf(n)}\r`, 'true'],
    [unihashOf(KNOWN + 1 + n), 'false'],
    ['u', 'false'],
  ][random(5)] as unknown as Line;
}

/** Long runs of one kind as well as any mix. */
function lines(random: Random, make: (random: Random) => Line): Line[] {
  const made: Line[] = [];
  for (let runs = random(30); runs >= 0; runs--) {
    const line = make(random);
    for (let left = [1, 3, 300][random(3)]!; left > 0; left--) made.push(left % 2 ? line : make(random));
  }
  return made;
}

function conversation(random: Random): Exchange[] {
  const said: Exchange[] = [];
  for (let streams = 0; streams < 3; streams++) {
    said.push(...streamed('get-stream', lines(random, taskLine)));
    said.push(request('ping', {}, { alive: true }));
    said.push(...streamed('exists-stream', lines(random, unihashLine)));
  }
  return said;
}

async function seed(client: WireClient): Promise<void> {
  const row = (method: string, taskhash: string, unihash: string) => {
    const fields = { method, taskhash, unihash };
    return request('report-equiv', fields, fields);
  };
  const rows = Array.from({ length: KNOWN }, (_, n) => [
    row('m', taskOf(n), unihashOf(n)),
    row('other', taskOf(n), unihashOf(n + 1)),
    row('m', `t${n}`, unihashOf(n)),
  ]);
  await keepWindow(client, rows.flat(), 100);
}

describe('every line of a stream has its own answer, whether it is answered from its bytes or not', () => {
  for (const transport of [MEMORY, TCP, UNIX]) {
    for (const window of [1, 16, 2000]) {
      test(`${window} in flight over ${transport.name}, in pieces of any size`, (t) =>
        withSeed(async (random) => {
          const { dial, connect } = await serve(t, { flags: FLAGS, transport });
          await seed(connect());
          const clients = Array.from({ length: 3 }, () => new PacedClient(dial().stream, random).handshake());
          await Promise.all(clients.map((client) => keepWindow(client, conversation(random), window)));
        }));
    }
  }

  test('where what is missing is asked of an upstream', (t) =>
    withSeed(async (random) => {
      const upper = await serve(t, { flags: FLAGS, transport: UNIX });
      await seed(upper.connect());
      const lower = await site(t, `unix://${upper.folder}/s`, { ...FLAGS, 'upstream-timeout': 60 });
      const clients = Array.from({ length: 3 }, () => new PacedClient(lower.dial().stream, random).handshake());
      await Promise.all(clients.map((client) => keepWindow(client, conversation(random), 64)));
    }));

  const BAD = [
    ['no line of it', Buffer.from('no task line at all\n'), /Bad line in the stream: expected/],
    ['not UTF-8', Buffer.from([0x6d, 0x20, 0xff, 0x0a]), /not valid UTF-8/],
    ['too long', Buffer.from(`m ${'0'.repeat(70_000)}\n`), /longer than/],
    ['without end and too long', Buffer.from(`m ${'0'.repeat(70_000)}`), /longer than/],
  ] as const;
  const STREAMS = [
    ['get-stream', taskLine],
    ['exists-stream', unihashLine],
  ] as const;

  /** A stream with a bad line in it is answered up to that one, and then refused. */
  async function endsAt(
    client: PacedClient,
    stream: string,
    make: typeof taskLine,
    bad: (typeof BAD)[number],
    random: Random,
  ) {
    const [what, bytes, refusal] = bad;
    const before = lines(random, make);
    const behind = what.includes('without') ? [] : lines(random, make);
    const text = (of: readonly Line[]) => of.map(([line]) => `${line}\n`).join('');
    client.send(`{"${stream}": null}\n`);
    client.send(Buffer.concat([Buffer.from(text(before)), bytes, Buffer.from(text(behind))]));
    assert.equal(await client.line(), '"ok"');
    for (const [line, answer] of before) assert.equal(await client.line(), answer, line);
    assert.match((await client.line())!, refusal);
    assert.equal(await client.line(), null);
  }

  for (const bad of BAD) {
    for (const [stream, make] of STREAMS) {
      test(`a line ${bad[0]} ends ${stream} behind the answers to those before it, and nothing behind it is answered`, (t) =>
        withSeed(async (random) => {
          const { dial, connect } = await serve(t, { flags: FLAGS });
          await seed(connect());
          for (let round = 0; round < 15; round++)
            await endsAt(new PacedClient(dial().stream, random).handshake(), stream, make, bad, random);
        }));
    }
  }

  test('a line that cannot be read is refused, too, where none comes before it', async (t) => {
    const { connect } = await serve(t, { flags: FLAGS });
    for (const [what, bytes, refusal] of BAD.slice(1)) {
      for (const [stream] of STREAMS) {
        const client = connect();
        client.send(`{"${stream}": null}\n`);
        assert.equal(await client.line(), '"ok"');
        client.send(bytes);
        assert.match(String(await client.line()), refusal, what);
        assert.equal(await client.line(), null);
      }
    }
  });

  test('a bad line ends a stream so, too, where the lines before it are answered by an upstream', (t) =>
    withSeed(async (random) => {
      const upper = await serve(t, { flags: FLAGS, transport: UNIX });
      await seed(upper.connect());
      const lower = await site(t, `unix://${upper.folder}/s`, { ...FLAGS, 'upstream-timeout': 60 });
      for (const bad of BAD)
        for (const [stream, make] of STREAMS)
          await endsAt(new PacedClient(lower.dial().stream, random).handshake(), stream, make, bad, random);
    }));

  test('a line that comes byte by byte is answered at its newline', async (t) => {
    const { connect } = await serve(t, { flags: FLAGS });
    const client = connect();
    await seed(client);
    client.send('{"get-stream": null}\n');
    assert.equal(await client.line(), '"ok"');
    for (let n = 0; n < 5; n++) {
      for (const byte of `m ${taskOf(n)}\n`) {
        client.send(byte);
        await new Promise(setImmediate);
      }
      assert.equal(await client.line(), unihashOf(n));
    }
  });

  test('figures count each line, and a right that was lost ends the stream', async (t) => {
    const flags = {
      ...FLAGS,
      'anon-perms': '@db-admin',
      'admin-user': 'root',
      'admin-password': 'secret',
    };
    const { connect } = await serve(t, { flags });
    const [root, reader] = [connect(), connect()];
    await root.ask('auth', { username: 'root', token: 'secret' });
    const row = { method: 'm', taskhash: hash(1), unihash: hash(2) };
    assert.deepEqual(await root.ask('report-equiv', row), row);
    const made = (await root.ask('new-user', { username: 'reader', permissions: ['@read'] })) as { token: string };
    await reader.ask('auth', { username: 'reader', token: made.token });
    await root.ask('reset-stats', null);
    reader.send('{"get-stream": null}\n');
    assert.equal(await reader.line(), '"ok"');
    reader.send(`m ${hash(1)}\n`.repeat(50));
    for (let n = 0; n < 50; n++) assert.equal(await reader.line(), hash(2));
    const { requests } = (await root.ask('get-stats', null)) as { requests: { num: number } };
    // The reset itself is one, after it was answered.
    assert.ok(requests.num >= 50 && requests.num <= 51, String(requests.num));
    await root.ask('set-user-perms', { username: 'reader', permissions: ['@none'] });
    reader.send(`m ${hash(1)}\n`);
    assert.match((await reader.line())!, /not allowed to access permissions/);
    assert.equal(await reader.line(), null);
  });
});
