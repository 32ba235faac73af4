import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveConfig } from '../../lib/settings/config.ts';

const PLAIN = { hashes: false, prs: false, onConflict: 'keep', user: null, tokenFile: null };
const NIGHTLY = { source: 'tls://nightly:8585', everyMs: 900_000, ...PLAIN, prs: true };
const SITE = { source: 'unix:///run/site.sock', everyMs: 3_600_000, ...PLAIN };

describe('--mirror', () => {
  test('is read alike from the command line, the environment and the configuration file', () => {
    const texts = ['tls://nightly:8585,every=15m,prs', 'unix:///run/site.sock'];
    const file = (mirror: unknown) => ({ path: 'bakeserv.yaml', settings: { mirror } });
    const given = [
      resolveConfig({ mirror: texts }),
      resolveConfig({ mirror: texts.join(',') }),
      resolveConfig({}, { BAKESERV_MIRROR: texts.join(' ') }),
      resolveConfig({}, { BAKESERV_MIRROR: texts.join(',') }),
      resolveConfig({}, {}, 1e6, file(texts)),
      resolveConfig({}, {}, 1e6, file(texts.join(' '))),
    ];
    for (const { mirrors } of given) assert.deepEqual(mirrors, [NIGHTLY, SITE]);
    assert.deepEqual(resolveConfig({}).mirrors, []);
  });

  test('takes a login, and what to do about conflicts', () => {
    const words = 'on-conflict=raise,user=site,token-file=/run/keys/site token,every=90';
    const [mirror] = resolveConfig({ mirror: [`host:1,${words}`] }).mirrors;
    assert.deepEqual(mirror, {
      ...{ source: 'host:1', everyMs: 90_000, hashes: false, prs: false, onConflict: 'raise' },
      ...{ user: 'site', tokenFile: '/run/keys/site token' },
    });
  });

  for (const [what, flags, said] of [
    [
      'on a read-only server',
      { 'read-only': true },
      /--mirror: a --read-only server stores nothing, and so mirrors none/,
    ],
    ['of its own listener', { mirror: ['127.0.0.1:8585'] }, /this is the server itself: name another server/],
    [
      'with a password in its address',
      { mirror: ['postgres://u:p@h/d'] },
      /a password does not belong into the address.*pgpass/,
    ],
    ['over HTTP', { mirror: ['http://host:80'] }, /not mirrored over HTTP; this one is reached as ws:\/\/host:80\/ws/],
    ['of no address', { mirror: ['nightly'] }, /--mirror: "nightly": address "nightly": not an address/],
    ['of a service that is not served', { mirror: ['h:1,prs'], prserv: false }, /does not serve PR values/],
    ['too often', { mirror: ['h:1,every=0.5s'] }, /every is a time from 1s to 7d/],
    ['never', { mirror: ['h:1,every=never'] }, /every is a time from 1s to 7d/],
    [
      'with a word that is none',
      { mirror: ['h:1,evry=1h'] },
      /"evry=1h" is nothing that can be said of a mirror.*every/,
    ],
    ['with a word twice', { mirror: ['h:1,every=1h,every=2h'] }, /every is given twice/],
    ['with hashes=yes', { mirror: ['h:1,hashes=yes'] }, /hashes takes no value/],
    [
      'with another way about conflicts',
      { mirror: ['h:1,on-conflict=drop'] },
      /on-conflict is one of keep, raise, fail/,
    ],
    ['with a token of nobody', { mirror: ['h:1,token-file=/t'] }, /token-file is of no use without user/],
    ['twice', { mirror: ['h:1', 'h:1,prs'] }, /h:1 is given twice/],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => resolveConfig({ mirror: ['host:1'], ...flags }), said);
    });
});
