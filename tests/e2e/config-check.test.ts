import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createHome, type Home, output } from './home-helpers.ts';

/** Settings with which a server cannot start, whatever it finds when it listens, and what is said of them. */
const WRONG: Readonly<Record<string, readonly [args: readonly string[], said: RegExp]>> = {
  'a wss:// address without a certificate': [['--bind', 'wss://127.0.0.1:1'], /TLS needs a certificate and its key/],
  'a socket in a folder that is not there': [
    ['--bind', 'unix://./no/s'],
    /unix:\/\/\S+\/no\/s: there is no folder \S+\/no\n/,
  ],
  'a socket path that something else has': [['--bind', 'unix://./file'], /a file that is no socket is in the way/],
  'a group that is not there': [
    ['--socket-group', 'no-such-group'],
    /--socket-group: there is no group "no-such-group"/,
  ],
  'a mode that is none': [['--socket-mode', '0999'], /--socket-mode: "0999" is not three octal digits/],
  'a database in a folder that is not there': [
    ['--hashserv-db', 'no/h.db'],
    /the folder of the database does not exist: \S+\/no/,
  ],
  'a folder as database': [['--prserv-db', '.'], /is not a file/],
  'an empty database file': [['--prserv-db', 'file'], /file is empty \(0 bytes\)/],
  'read-only without a database': [
    ['--read-only'],
    /no database at \S+hashserv\.db; a read-only server creates nothing/,
  ],
  'certificates that are not there': [['--ca', 'no.pem'], /cannot read certificates from no\.pem: /],
  'certificates that are none': [['--ca', 'file'], /file holds no certificate/],
  'an upstream user without a token': [
    ['--hashserv-upstream', 'h:1', '--hashserv-upstream-user', 'u'],
    /--hashserv-upstream-user u: no token for h:1/,
  ],
  'two sync modes for one file': [
    ['--hashserv-db', 'x.db', '--prserv-db', 'x.db', '--prserv-sync-mode', 'on_shutdown'],
    /both services are on one database file/,
  ],
  'a log file in a folder that is not there': [['--log-file', 'no/log'], /--log-file: cannot write no\/log: /],
};

function prepared(home: Home): void {
  fs.writeFileSync(path.join(home.folder, 'file'), '');
}

describe('config check and serve refuse with status 2, before a file is made,', () => {
  for (const [what, [args, said]] of Object.entries(WRONG)) {
    test(what, async (t) => {
      const home = createHome(t);
      prepared(home);
      for (const command of [['config', 'check'], ['serve']]) {
        // Unless it is about the address: one that would do.
        const bind = args.includes('--bind') ? [] : ['--bind', 'unix://./s'];
        const { status, stdout, stderr } = await home.bakeserv([...command, ...bind, ...args]);
        assert.match(stderr, said);
        assert.deepEqual([status, stdout], [2, ''], stderr);
        assert.deepEqual(fs.readdirSync(home.folder), ['file']);
      }
    });
  }

  test('all that is wrong at once', async (t) => {
    const home = createHome(t);
    prepared(home);
    const { stderr } = await home.bakeserv([
      'config',
      'check',
      '--bind',
      'wss://127.0.0.1:1',
      '--ca',
      'file',
      '--prserv-db',
      '.',
    ]);
    assert.deepEqual(
      [/TLS/, /certificate/, /not a file/].map((fault) => fault.test(stderr)),
      [true, true, true],
    );
  });
});

test('config check is content beside a server that runs with the same settings', async (t) => {
  const home = createHome(t);
  const settings = ['--bind', 'unix://./s', '--bind', '127.0.0.1:0'];
  await output(home.start(['serve', ...settings]), /listening 127/);
  const { status, stderr } = await home.bakeserv(['config', 'check', ...settings]);
  assert.deepEqual([status, stderr], [0, '']);
});

test('a socket whose folder comes with its service is a warning of config check, and a refusal of serve', async (t) => {
  const home = createHome(t);
  const folder = `/run/${path.basename(path.dirname(home.folder))}`;
  const bind = ['--bind', `unix://${folder}/s`];
  const checked = await home.bakeserv(['config', 'check', ...bind]);
  assert.equal(checked.status, 0, checked.stderr);
  assert.match(checked.stdout, /^ok: no configuration file\nunix:\S+: hash equivalence read-write, .*\n$/);
  assert.match(
    checked.stderr,
    new RegExp(`warning: unix://${folder}/s: there is no folder ${folder} yet: .*RuntimeDirectory=`),
  );
  const served = await home.bakeserv(['serve', ...bind]);
  assert.match(served.stderr, new RegExp(`there is no folder ${folder}\n`));
  assert.equal(served.status, 2);
});
