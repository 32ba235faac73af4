import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Args } from '../../lib/cli/args/args.ts';
import { isPrivate, type ServerStatus } from '../../lib/cli/process/control.ts';
import {
  allStages,
  findStage,
  makeStage,
  removeRests,
  removeStage,
  requireStage,
  requireStill,
  stageName,
  stagesFolder,
} from '../../lib/cli/stage/place.ts';
import { addressFor, namedUpstreams } from '../../lib/cli/stage/shared.ts';
import { ConfigError, InvokeError } from '../../lib/errors.ts';

const UPSTREAMS = { hashserv: 'unix:///run/a.sock', prserv: 'shared:8585' };
const recordOf = (name: string) => ({ name, created: '2026-11-22T01:00:00.000Z', upstreams: UPSTREAMS });

function temporary(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-stages-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the name of a stage', () => {
  test('is letters, digits, dots, dashes and underscores, a letter or digit first, at most 64', () => {
    for (const name of ['a', 'pr-1234', 'Release_2.1', '0', 'x'.repeat(64)]) assert.equal(stageName(name), name);
  });

  test('that could lead out of the folder of the stages, or hides there, is refused', () => {
    const hostile = ['', '.', '..', '../x', 'a/b', '/etc', '.hidden', '-rf', 'a b', 'a\nb', 'a\0b', '~root', 'é'];
    for (const name of [...hostile, 'x'.repeat(65), 'x'.repeat(100_000)])
      assert.throws(
        () => stageName(name),
        (error: Error) => error instanceof ConfigError && error.message.length < 400,
        name.slice(0, 20),
      );
  });
});

test('stages are where --stages-dir says, otherwise in the XDG folder for state, if that is a whole path', () => {
  const none = new Args(new Map(), new Map());
  const given = new Args(new Map([['stages-dir', [['/srv/stages']]]]), new Map());
  const home = path.join(os.homedir(), '.local/state/bakeserv/stages');
  assert.equal(stagesFolder(given, { XDG_STATE_HOME: '/state' }), '/srv/stages');
  assert.equal(stagesFolder(none, { XDG_STATE_HOME: '/state' }), '/state/bakeserv/stages');
  assert.equal(stagesFolder(none, { XDG_STATE_HOME: 'state' }), home);
  assert.equal(stagesFolder(none, {}), home);
});

describe('the folder of a stage', () => {
  test('has its name with its record in it, and only its user may look into it', (t) => {
    const folder = path.join(temporary(t), 'deep/stages');
    const { record, place } = makeStage(folder, recordOf('pr-1'));
    assert.deepEqual(record, recordOf('pr-1'));
    assert.equal(fs.statSync(place.folder).mode & 0o777, 0o700);
    assert.deepEqual(fs.readdirSync(folder), ['pr-1']);
  });

  test('is that of the first of two that make it at once', (t) => {
    const folder = temporary(t);
    makeStage(folder, recordOf('pr-1'));
    const late = { ...recordOf('pr-1'), created: '2027-01-01T00:00:00.000Z' };
    assert.deepEqual(makeStage(folder, late).record, recordOf('pr-1'));
    assert.deepEqual(fs.readdirSync(folder), ['pr-1']);
  });

  test('is no stage without a record of one: such a folder is neither taken nor dropped', (t) => {
    const folder = temporary(t);
    fs.mkdirSync(path.join(folder, 'Documents'));
    assert.equal(findStage(folder, 'Documents'), null);
    fs.writeFileSync(path.join(folder, 'Documents/thesis'), 'text');
    assert.throws(() => requireStage(folder, 'Documents'), /is no stage: there is no stage\.json/);
    fs.writeFileSync(path.join(folder, 'Documents/stage.json'), '{"name":1}');
    assert.throws(() => requireStage(folder, 'Documents'), ConfigError);
    fs.symlinkSync('Documents', path.join(folder, 'link'));
    assert.throws(() => requireStage(folder, 'link'), /is no stage: it is not a folder/);
    assert.throws(() => requireStage(folder, 'absent'), InvokeError);
    assert.deepEqual(allStages(folder), []);
  });

  test('that was dropped meanwhile is told apart from a new one of its name', (t) => {
    const folder = temporary(t);
    const stage = makeStage(folder, recordOf('pr-1'));
    requireStill(folder, stage);
    removeStage(stage);
    assert.throws(() => requireStill(folder, stage), /the stage pr-1 was dropped meanwhile: nothing was done/);
    makeStage(folder, { ...recordOf('pr-1'), created: '2026-11-22T08:00:00.000Z' });
    assert.throws(() => requireStill(folder, stage), /the stage pr-1 is another one now, made 2026-11-22T08:00/);
  });

  test('of another user is not taken', (t) => {
    const folder = temporary(t);
    makeStage(folder, recordOf('pr-1'));
    const { getuid } = process;
    process.getuid = () => 4_000_000_000;
    t.after(() => Object.assign(process, { getuid }));
    assert.throws(() => requireStage(folder, 'pr-1'), /belongs to .*: take another name/);
  });

  test('is gone when it is dropped, and what a killed command left of it goes with the next one', (t) => {
    const folder = temporary(t);
    const stages = ['pr-1', 'pr-12'].map((name) => makeStage(folder, recordOf(name)));
    // No process has this number.
    for (const what of ['new', 'discarded']) fs.mkdirSync(path.join(folder, `.pr-1~${what}-4194305`));
    for (const other of ['.pr-12~new-4194305', `.pr-1~new-${process.pid}`, '.pr-1~else-1'])
      fs.mkdirSync(path.join(folder, other));
    removeStage(stages[0]!);
    removeRests(folder, 'pr-1');
    assert.deepEqual(
      fs.readdirSync(folder).sort(),
      ['.pr-12~new-4194305', '.pr-1~else-1', `.pr-1~new-${process.pid}`, 'pr-12'].sort(),
    );
    assert.deepEqual(
      allStages(folder).map(({ record }) => record.name),
      ['pr-12'],
    );
  });
});

describe('the shared server of a stage', () => {
  const open = {
    hashserv: 'read-write',
    prserv: 'read-write',
    anonymous: ['@read'],
    prLogin: false,
    behindProxy: null,
  } as const;
  const status = (addresses: readonly string[], listeners?: ServerStatus['listeners']) =>
    ({ pid: 7, addresses, ...(listeners && { listeners }) }) as ServerStatus;

  test('is asked where everybody may read: not over HTTP, and not where a login or a certificate is asked for', () => {
    const addresses = ['http://h:1', 'a:1', 'tls://b:1', 'c:1', 'unix:///no/such.sock', 'd:1'];
    const found = status(addresses, [
      open,
      { ...open, prLogin: true },
      { ...open, clientCertificates: true },
      { ...open, anonymous: [], prserv: null },
      open,
      open,
    ]);
    assert.equal(addressFor(found, 'hashserv'), 'a:1');
    assert.equal(addressFor(found, 'prserv'), 'd:1');
    assert.throws(() => addressFor(status(['http://h:1']), 'prserv'), /server 7 has no address.*--prserv-upstream/);
  });

  test('is no private one', () => {
    assert.deepEqual(
      ['serve', 'auto', 'stage', 'bitbake-prserv'].map((command) => isPrivate({ command })),
      [false, true, true, false],
    );
  });

  test('is named by --address, or by the option or variable of a service, with the whole path of a socket', () => {
    assert.deepEqual(namedUpstreams({ address: 'unix://./a.sock' }, {}), {
      hashserv: `unix://${path.resolve('a.sock')}`,
      prserv: `unix://${path.resolve('a.sock')}`,
    });
    const environment = {
      BB_HASHSERVE_UPSTREAM: 'wss://h/ws',
      PRSERV_UPSTREAM: 'p:1',
      BAKESERV_PRSERV_UPSTREAM: 'q:1',
    };
    assert.deepEqual(Object.values(namedUpstreams({}, environment)), ['wss://h:443/ws', 'q:1']);
    assert.deepEqual(namedUpstreams({ 'prserv-upstream': 'r:1' }, {}), { prserv: 'r:1' });
    assert.deepEqual(namedUpstreams({}, { PRSERV_UPSTREAM: '' }), {});
  });
});
