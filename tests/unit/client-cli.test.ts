import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { test } from 'node:test';
import { completionScript, SHELLS } from '../../lib/cli/args/completion.ts';
import { manPage } from '../../lib/cli/args/man.ts';
import { type AnyProgram, ownOptions, shownCommands } from '../../lib/cli/args/table.ts';
import { figuresOf } from '../../lib/cli/client/figures.ts';
import { pythonJson, wantsColor } from '../../lib/cli/client/out.ts';
import { HASH_CLIENT } from '../../lib/cli/hashclient/program.ts';
import { describeError } from '../../lib/cli/main.ts';
import { PR_CLIENT } from '../../lib/cli/prclient/program.ts';
import { SERVER } from '../../lib/cli/server-program.ts';
import { InvokeError } from '../../lib/errors.ts';

test('JSON is laid out as Python does it', () => {
  assert.equal(
    pythonJson({ b: [1, { c: null }], a: 'é"', d: {}, e: [] }),
    '{\n    "a": "\\u00e9\\"",\n    "b": [\n        1,\n        {\n            "c": null\n        }\n    ],\n    "d": {},\n    "e": []\n}',
  );
});

test('figures of measured times', () => {
  assert.deepEqual(figuresOf([3, 1, 2]), { count: 3, average: 2, median: 2, deviation: 1, min: 1, max: 3 });
  assert.deepEqual(figuresOf([1, 2]).median, 1.5);
  assert.deepEqual(figuresOf([7]).deviation, 0);
  assert.deepEqual(figuresOf([]), { count: 0, average: 0, median: 0, deviation: 0, min: 0, max: 0 });
});

test('colours are for terminals, never with NO_COLOR or on a dumb one', () => {
  assert.equal(wantsColor({ isTTY: true }, {}), true);
  assert.equal(wantsColor({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(wantsColor({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(wantsColor({}, {}), false);
});

for (const program of [SERVER, HASH_CLIENT, PR_CLIENT] as AnyProgram[]) {
  const names = shownCommands(program).map(([name]) => name);
  const hidden = Object.keys(program.commands).filter((name) => !names.includes(name));
  const flags = [...program.options, ...shownCommands(program).flatMap(([, command]) => ownOptions(command))];

  test(`completion of ${program.name} knows every command and option in every shell`, async () => {
    for (const shell of SHELLS) {
      const script = await completionScript(program, shell);
      for (const name of names) assert.match(script, new RegExp(`\\b${name}\\b`), `${name} in ${shell}`);
      for (const { name } of flags) assert.match(script, new RegExp(`(--|-l )${name}\\b`), `--${name} in ${shell}`);
    }
  });

  test(`the manual page of ${program.name} knows every command and option`, () => {
    const page = manPage(program, '1').replaceAll('\\-', '-');
    for (const name of names) assert.match(page, new RegExp(`^\\.SS ${name}( |$)`, 'm'));
    for (const name of hidden) assert.doesNotMatch(page, new RegExp(`^\\.SS ${name}( |$)`, 'm'));
    for (const { name } of flags) assert.match(page, new RegExp(`--${name}\\b`));
    assert.doesNotMatch(page, /^\.(?!TH|SH|SS|TP|PP|B |BR |RS|RE|nf|fi)/m);
  });
}

const bash = spawnSync('bash', ['-c', 'type compgen complete'], { stdio: 'ignore' }).status === 0;
if (bash) {
  const complete = async (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `${await completionScript(HASH_CLIENT as AnyProgram, 'bash')}
      COMP_WORDS=(bakeserv-hashclient ${list}); COMP_CWORD=${words.length}; compopt() { :; }
      _bakeserv_hashclient; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };

  test('bash completes commands, options and choices', async () => {
    assert.deepEqual(await complete('gc-m'), ['gc-mark', 'gc-mark-stream']);
    assert.deepEqual(await complete('--address', 'unix://x', 'uni'), ['unihash-exists']);
    assert.deepEqual(await complete('ping', '--qu'), ['--quiet']);
    assert.deepEqual(await complete('completion', ''), ['bash', 'zsh', 'fish']);
    assert.deepEqual(await complete('--addr'), ['--address']);
    assert.deepEqual(await complete('ping', '--count', ''), ['']);
  });
}

test('an error is said with where it came from only where nobody foresaw it', () => {
  assert.equal(describeError(new InvokeError('denied')), 'denied');
  assert.throws(
    () => fs.readFileSync('no/such/file'),
    (error) => describeError(error) === 'cannot open no/such/file: no such file or directory',
  );
  assert.throws(
    () => fs.statSync('no/such/file'),
    (error) => describeError(error) === 'cannot read no/such/file: no such file or directory',
  );
  assert.match(describeError(new TypeError('x is not a function')), /^TypeError: x is not a function\n +at /);
  assert.equal(describeError('thrown'), 'thrown');
});
