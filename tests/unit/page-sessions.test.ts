import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPageSessions } from '../../lib/hashserv/access/page-sessions.ts';
import { hashToken } from '../../lib/hashserv/access/tokens.ts';
import type { NoteName, User } from '../../lib/hashserv/store.ts';

const HOURS_MS = 3_600_000;

function users() {
  const notes = new Map<NoteName, string>();
  const known = new Map<string, User>();
  let id = 0;
  let nowMs = 1_000_000;
  const add = (username: string, token: string) =>
    known.set(username, { id: ++id, username, token: hashToken(token), permissions: '@read' });
  const store = {
    readOnly: false,
    async findUser(name: string) {
      assert.doesNotMatch(name, /\0/, 'PostgreSQL fails at it');
      assert.ok(name.length <= 1024);
      return known.get(name) ?? null;
    },
    note: async (name: NoteName) => notes.get(name) ?? null,
    setNote: async (name: NoteName, value: string) => void notes.set(name, value),
  };
  const sessions = createPageSessions(store, () => nowMs);
  return { notes, known, add, sessions, pass: (ms: number) => (nowMs += ms) };
}

describe('a session of the page', () => {
  test('lasts for eight hours', async () => {
    const { add, sessions, pass } = users();
    add('anna', 'token');
    const { value, expires } = (await sessions.begin('anna', 'token'))!;
    pass(8 * HOURS_MS - 1);
    assert.deepEqual(await sessions.find(value), { username: 'anna', expires });
    pass(1);
    assert.equal(await sessions.find(value), null);
  });

  test('begins with the token of the user alone', async () => {
    const { add, sessions, notes } = users();
    add('anna', 'token');
    assert.equal(await sessions.begin('anna', 'other'), null);
    assert.equal(await sessions.begin('berta', 'token'), null);
    assert.equal(notes.size, 0);
  });

  test('is of a user whatever the name is made of', async () => {
    const { add, sessions } = users();
    for (const name of ['a.b', 'ä ; "', '🙂'.repeat(256), '../x', '=', '\n']) {
      add(name, 'token');
      const { value } = (await sessions.begin(name, 'token'))!;
      assert.match(value, /^[\w.-]+$/);
      assert.ok(value.length < 3000, 'a cookie has room for 4096 bytes');
      assert.equal((await sessions.find(value))?.username, name);
    }
  });

  test('is none of a name that no user can have, for which no database is asked', async () => {
    const { sessions } = users();
    for (const name of ['\0', 'anna\0', 'n'.repeat(1050)])
      assert.equal(await sessions.find(`${Buffer.from(name).toString('base64url')}.0.${'s'.repeat(43)}`), null);
  });

  test('nothing that is stored is the way into one', async () => {
    const { add, sessions, notes } = users();
    add('anna', 'token');
    const { value } = (await sessions.begin('anna', 'token'))!;
    const [name, slot, secret] = value.split('.');
    const [[note, stored]] = [...notes] as [[string, string]];
    assert.equal(note, `bakeserv-session-1-${slot}`);
    assert.doesNotMatch(stored, new RegExp(secret!));
    const digest = stored.split(' ')[1]!;
    for (const guess of [digest, Buffer.from(digest, 'hex').toString('base64url'), digest.slice(0, 43)])
      assert.equal(await sessions.find(`${name}.${slot}.${guess}`), null);
  });

  test('of a user is at one of 32 places, the free ones first', async () => {
    const { add, sessions, notes, pass } = users();
    add('anna', 'token');
    const begin = async () => {
      pass(1);
      return (await sessions.begin('anna', 'token'))!.value;
    };
    const all: string[] = [];
    for (let i = 0; i < 32; i++) all.push(await begin());
    for (const value of all) assert.ok(await sessions.find(value));
    await sessions.end(all[7]!);
    const next = await begin();
    assert.equal(await sessions.find(all[7]!), null);
    assert.equal(next.split('.')[1], all[7]!.split('.')[1], 'the place that is free');
    await begin();
    assert.equal(await sessions.find(all[0]!), null, 'the oldest made room');
    assert.ok(await sessions.find(all[1]!));
    assert.equal(notes.size, 32);
  });

  test('is ended by its own cookie alone', async () => {
    const { add, sessions } = users();
    add('anna', 'token');
    const { value } = (await sessions.begin('anna', 'token'))!;
    const [name, slot] = value.split('.');
    await sessions.end(`${name}.${slot}.${'A'.repeat(43)}`);
    await sessions.end('');
    assert.ok(await sessions.find(value));
    await sessions.end(value);
    assert.equal(await sessions.find(value), null);
  });
});
