import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findCredentials, parseNetrc } from '../../lib/asyncrpc/client/netrc.ts';

const read = (text: string) => Object.fromEntries(parseNetrc(text, 'netrc') as Map<string, unknown>);

/** A home folder with a netrc file of that mode. */
function home(t: { after(fn: () => void): void }, text: string, mode = 0o600): { HOME: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.writeFileSync(path.join(folder, '.netrc'), text, { mode });
  return { HOME: folder };
}

test('entries stand on one line or on many, and the last of a machine counts', () => {
  assert.deepEqual(read('machine a login x password y machine b\n  user u\n  account z\n  password p\n'), {
    a: { login: 'x', password: 'y' },
    b: { login: 'u', password: 'p' },
  });
  assert.deepEqual(read('machine a password 1\nmachine a login l'), { a: { login: 'l', password: '' } });
  assert.deepEqual(read(''), {});
});

test('a quoted word may hold blanks and quotes, and a backslash takes the next character as it is', () => {
  assert.deepEqual(read('machine "unix:///a b" login "x \\"y\\"" password p\\ q\\\\'), {
    'unix:///a b': { login: 'x "y"', password: 'p q\\' },
  });
  assert.deepEqual(read('machine a login "" password ""'), { a: { login: '', password: '' } });
});

test('# begins a comment where a keyword may stand, and is a character in a value', () => {
  assert.deepEqual(read('# one\nmachine a # login no\n#two\nlogin #x password p#q # machine c\n'), {
    a: { login: '#x', password: 'p#q' },
  });
});

test('a macro runs to the next empty line', () => {
  assert.deepEqual(read('macdef init\nmachine no\ncd /\n\nmachine a login l'), { a: { login: 'l', password: '' } });
  assert.throws(() => read('macdef init\ncd /'), /netrc, line \d+: a macro runs to the end of the file/);
});

test('a word out of place names file and line', () => {
  assert.throws(
    () => read('machine a login x\nfoo bar'),
    /netrc, line 2: expected login, account or password, not "foo"/,
  );
  assert.throws(() => read('login x'), /netrc, line 1: expected machine, default or macdef, not "login"/);
  assert.throws(() => read('machine a\nlogin'), /netrc, line 2: login without a value/);
});

test('the whole address is looked up, then the default', (t) => {
  const env = home(t, 'machine ws://h:1/ws login l password p\ndefault login d password e\n');
  assert.deepEqual(findCredentials('ws://h:1/ws', env), { login: 'l', password: 'p' });
  assert.deepEqual(findCredentials('h', env), { login: 'd', password: 'e' });
});

test('no file and no entry are no login', (t) => {
  assert.equal(findCredentials('a', { HOME: '/nonexistent' }), null);
  assert.equal(findCredentials('a', home(t, 'machine b login l')), null);
});

test('a file with secrets that others may read is refused, ~/.netrc and one named by NETRC', (t) => {
  const open = home(t, 'machine a login l password p', 0o644);
  fs.chmodSync(path.join(open.HOME, '.netrc'), 0o644);
  assert.throws(() => findCredentials('a', open), /can be read by others: put that right with "chmod 600/);
  const named = { NETRC: path.join(open.HOME, '.netrc') };
  for (const mode of [0o644, 0o640, 0o604]) {
    fs.chmodSync(named.NETRC, mode);
    assert.throws(() => findCredentials('a', named), /can be read by others: put that right with "chmod 600/);
  }
  fs.chmodSync(named.NETRC, 0o400);
  assert.deepEqual(findCredentials('a', named), { login: 'l', password: 'p' });
});

test('an open ~/.netrc with an anonymous login alone is no secret', (t) => {
  const open = home(t, 'machine a login anonymous password me@here');
  fs.chmodSync(path.join(open.HOME, '.netrc'), 0o644);
  assert.deepEqual(findCredentials('a', open), { login: 'anonymous', password: 'me@here' });
});
