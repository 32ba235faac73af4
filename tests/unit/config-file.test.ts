import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { configOf } from '../../lib/settings/config.ts';
import { type ConfigFile, loadConfigFile } from '../../lib/settings/config-file.ts';
import { environmentName, type Option } from '../../lib/settings/options.ts';
import { settingsFaults, settingsSchema } from '../../lib/settings/schema.ts';
import { SERVE_OPTIONS } from '../../lib/settings/serve-options.ts';
import { resolveSettings, unknownVariables } from '../../lib/settings/settings.ts';

function file(t: TestContext, name: string, text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  return path.join(folder, name);
}

const inFile = (settings: Record<string, unknown>): ConfigFile => ({ path: 'b.yaml', settings });
const fault = (message: RegExp) => ({ code: 'config-error', message });

/** Two different good values of an option, as text, and as they are read. */
function samples(option: Option): readonly (readonly [text: string, value: unknown])[] {
  if (option.name.endsWith('sync-mode')) {
    return [
      ['on_shutdown', 'on_shutdown'],
      ['periodic:5', 'periodic:5'],
    ];
  }
  if (option.name === 'socket-mode') {
    return [
      ['0660', '0660'],
      ['600', '600'],
    ];
  }
  if (option.choices) return option.choices.slice(0, 2).map((choice) => [choice, choice] as const);
  const values = {
    string: [
      ['one', 'one'],
      ['two', 'two'],
    ],
    strings: [
      ['127.0.0.1:1', ['127.0.0.1:1']],
      ['127.0.0.1:2', ['127.0.0.1:2']],
    ],
    listeners: [
      ['127.0.0.1:1', ['127.0.0.1:1']],
      ['127.0.0.1:2', ['127.0.0.1:2']],
    ],
    boolean: [
      ['yes', true],
      ['0', false],
    ],
    integer: [
      ['11', 11],
      ['12', 12],
    ],
    number: [
      ['11', 11],
      ['1.5', 1.5],
    ],
    seconds: [
      ['1.5', 1.5],
      ['2', 2],
    ],
    'seconds-or-0': [
      ['0', 0],
      ['2.5', 2.5],
    ],
    bytes: [
      ['64KiB', 65536],
      ['2MiB', 2097152],
    ],
  } as const;
  return values[option.type];
}

describe('every option is read from a flag, the environment and the file, the stronger winning', () => {
  for (const option of SERVE_OPTIONS.filter(({ name }) => !name.endsWith('-file'))) {
    test(option.name, () => {
      const [[weak, weakValue], [strong, strongValue]] = samples(option) as [[string, unknown], [string, unknown]];
      const { name } = option;
      const variable = environmentName(name);
      const of = (flags: object, environment: object, settings: object) =>
        resolveSettings(flags as never, environment as never, inFile(settings as never)).get(name)!;
      assert.deepEqual([of({}, {}, {}).value, of({}, {}, {}).where], [option.default, null]);
      const written = option.type === 'bytes' ? weak : weakValue;
      assert.deepEqual(
        [of({}, {}, { [name]: written }).value, of({}, {}, { [name]: written }).where],
        [weakValue, `b.yaml: ${name}`],
      );
      const environment = of({}, { [variable]: strong }, { [name]: written });
      assert.deepEqual([environment.value, environment.where], [strongValue, variable]);
      const flag = of({ [name]: weak }, { [variable]: strong }, { [name]: written });
      assert.deepEqual([flag.value, flag.where], [weakValue, `--${name}`]);
    });
  }
});

describe('a wrong value is refused with its place and what was expected', () => {
  const wrong = { integer: 'x', seconds: '-1', 'seconds-or-0': '-1', bytes: '3 apples', boolean: 'perhaps' } as const;
  for (const option of SERVE_OPTIONS) {
    const bad = option.choices
      ? 'none of them'
      : option.pattern
        ? 'sometimes'
        : wrong[option.type as keyof typeof wrong];
    if (!bad) continue;
    test(option.name, () => {
      const place = (where: string) => fault(new RegExp(`^${where}: "${bad}" is not \\S`));
      assert.throws(() => resolveSettings({ [option.name]: bad }, {}, null), place(`--${option.name}`));
      const variable = environmentName(option.name);
      assert.throws(() => resolveSettings({}, { [variable]: bad }, null), place(variable));
      assert.throws(() => resolveSettings({}, {}, inFile({ [option.name]: bad })), place(`b.yaml: ${option.name}`));
    });
  }
});

test('a key that is no option is refused with the nearest one', () => {
  const settings = inFile({ 'hashserv-bd': 'x' });
  assert.throws(
    () => resolveSettings({}, {}, settings),
    fault(/^b\.yaml: hashserv-bd is no option; did you mean hashserv-db\?$/),
  );
});

test('every fault of a file is named at once', () => {
  const settings = inFile({ bnid: ':1', 'read-only': 'perhaps', 'max-line': 'x' });
  assert.throws(
    () => resolveSettings({}, {}, settings),
    (error: Error) =>
      error.message.split('\n').length === 3 && /read-only/.test(error.message) && /bnid/.test(error.message),
  );
});

test('a key that is far from every option gets no suggestion', () => {
  assert.throws(() => resolveSettings({}, {}, inFile({ zebra: 1 })), fault(/^b\.yaml: zebra is no option$/));
});

test('what only the meaning shows wrong is refused with its place', () => {
  const settings = (given: Record<string, unknown>) => resolveSettings({}, {}, inFile(given));
  assert.throws(() => configOf(settings({ bind: 'nowhere' })), fault(/^b\.yaml: bind: address "nowhere"/));
  assert.throws(() => configOf(settings({ 'anon-perms': '@everything' })), fault(/^b\.yaml: anon-perms: /));
  assert.throws(() => configOf(settings({ 'sync-mode': 'periodic:0' })), fault(/^b\.yaml: sync-mode: /));
});

test('a secret is read from its file without the newline at its end', (t) => {
  const settings = resolveSettings({}, {}, inFile({ 'admin-password-file': file(t, 'secret', 'pass word\n') }));
  assert.equal(settings.get('admin-password')!.value, 'pass word');
});

test('a secret given stronger than its file wins, and both in one place are refused', (t) => {
  const named = { 'admin-password-file': file(t, 'secret', 'weak') };
  const settings = resolveSettings({}, { BAKESERV_ADMIN_PASSWORD: 'strong' }, inFile(named));
  assert.equal(settings.get('admin-password')!.value, 'strong');
  const both = inFile({ ...named, 'admin-password': 'x' });
  assert.throws(() => resolveSettings({}, {}, both), fault(/admin-password and .*admin-password-file are both given/));
});

test('a secret file that others may read or write is refused, whichever option names it', (t) => {
  const options = SERVE_OPTIONS.filter(({ secret }) => secret).map(({ name }) => `${name}-file`);
  assert.deepEqual(options, [
    'admin-password-file',
    'hashserv-upstream-token-file',
    'prserv-upstream-token-file',
    'sstate-mirror-file',
  ]);
  const secret = file(t, 'secret', 'word');
  for (const option of options) {
    const read = () => resolveSettings({ [option]: secret }, {}, null);
    for (const mode of [0o604, 0o602, 0o620, 0o644, 0o666]) {
      fs.chmodSync(secret, mode);
      assert.throws(
        read,
        fault(new RegExp(`^--${option}: others may read or write .*0${mode.toString(8)}.*chmod 600`)),
      );
    }
    for (const mode of [0o600, 0o400, 0o640, 0o440]) {
      fs.chmodSync(secret, mode);
      assert.equal(read().get(option.slice(0, -'-file'.length))!.value, 'word');
    }
  }
});

test('a secret file that is absent or empty is refused', (t) => {
  const read = (path: string) => resolveSettings({ 'admin-password-file': path }, {}, null);
  assert.throws(() => read('/nowhere/secret'), fault(/^--admin-password-file: cannot read \/nowhere\/secret/));
  assert.throws(() => read(file(t, 'secret', '\n')), fault(/is empty where a secret was expected/));
});

test('variables that begin like ours and are none are told, with the one meant', () => {
  const told = unknownVariables({
    BAKESERV_LOG_LEVLE: 'x',
    BAKESERV_PORT_8585_TCP: 'y',
    BAKESERV_BIND: ':1',
    HOME: '/',
  });
  assert.deepEqual(told, [
    'BAKESERV_LOG_LEVLE in the environment is no option of bakeserv; did you mean BAKESERV_LOG_LEVEL?',
    'BAKESERV_PORT_8585_TCP in the environment is no option of bakeserv',
  ]);
});

test('the settings of the Rust PR server are read, weaker than our own', () => {
  const environment = {
    PRSERV_DATABASE: 'sqlite:///var/lib/prserv.db',
    PRSERV_BIND_ADDR: '0.0.0.0:8686',
    PRSERV_READ_ONLY: 'true',
    PRSERV_NOHIST: 'false',
    PRSERV_SYNC_MODE: 'on_shutdown',
  };
  const config = configOf(resolveSettings({}, environment, null));
  assert.equal(config.prserv!.file, '/var/lib/prserv.db');
  assert.deepEqual(config.prserv!.syncMode, { kind: 'on_shutdown' });
  assert.deepEqual(
    config.binds.map(({ address }) => address),
    [{ kind: 'tcp', host: '0.0.0.0', port: 8686 }],
  );
  assert.deepEqual([config.readOnly, config.history], [true, true]);
  assert.equal(configOf(resolveSettings({}, environment, inFile({ history: false }))).history, false);
  assert.throws(
    () => resolveSettings({}, { PRSERV_NOHIST: 'perhaps' }, null),
    fault(/^PRSERV_NOHIST: "perhaps" is not true or false$/),
  );
});

test('a configuration file may be YAML or JSON', async (t) => {
  const yaml = await loadConfigFile(
    file(t, 'a.yaml', '# farm\nbind:\n  - :8585\n  - unix:///run/b.sock\nread-only: true\n'),
  );
  assert.deepEqual(yaml!.settings, { bind: [':8585', 'unix:///run/b.sock'], 'read-only': true });
  const json = await loadConfigFile(file(t, 'a.json', '{"$schema": "./bakeserv.schema.json", "cache-size": "16MiB"}'));
  assert.equal(resolveSettings({}, {}, json).get('cache-size')!.value, 16 * 1024 * 1024);
  const empty = await loadConfigFile(file(t, 'b.yaml', '# nothing yet\n'));
  assert.deepEqual(empty!.settings, {});
});

test('a configuration file that cannot be read is refused with its name and line', async (t) => {
  const broken = file(t, 'a.yaml', 'bind: :1\nbind: :2\n');
  await assert.rejects(loadConfigFile(broken), fault(/a\.yaml: Map keys must be unique at line 2/));
  await assert.rejects(loadConfigFile(file(t, 'b.yaml', '- bind\n')), fault(/b\.yaml: expected "option: value" lines/));
  await assert.rejects(
    loadConfigFile('/nowhere/c.yaml'),
    fault(/configuration file \/nowhere\/c\.yaml: no such file or directory/),
  );
  await assert.rejects(loadConfigFile(file(t, 'd.json', '{')), fault(/d\.json: /));
});

test('settings have the faults that the schema for editors finds in them', () => {
  const whole = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(settingsSchema());
  const name = fc.constantFrom(...SERVE_OPTIONS.map((option) => option.name), '$schema', 'toString', 'prot');
  const value = fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.constantFrom('', '1', 'on_shutdown', [1], [], ['a'], ['a', 1], {}, null),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 12 }), (settings) => {
      const found = (faults: typeof whole.errors) =>
        (faults ?? [])
          .map(({ keyword, instancePath, params }) => JSON.stringify({ keyword, instancePath, params }))
          .sort();
      assert.deepEqual(found([...settingsFaults(settings)]), found(whole(settings) ? [] : whole.errors));
    }),
  );
});
