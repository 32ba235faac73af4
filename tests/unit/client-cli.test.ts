import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { Args, readArguments, readFlags } from '../../lib/cli/client/arguments.ts';
import { completionScript } from '../../lib/cli/client/completion.ts';
import { SHELLS } from '../../lib/cli/client/completion-command.ts';
import { figuresOf } from '../../lib/cli/client/figures.ts';
import type { AnyProgram } from '../../lib/cli/client/help.ts';
import { manPage } from '../../lib/cli/client/man.ts';
import { pythonJson, wantsColor } from '../../lib/cli/client/out.ts';
import type { FlagSpec } from '../../lib/cli/client/table.ts';
import { HASH_CLIENT } from '../../lib/cli/hashclient/program.ts';
import { describeError } from '../../lib/cli/main.ts';
import { PR_CLIENT } from '../../lib/cli/prclient/program.ts';
import { InvokeError } from '../../lib/errors.ts';

const FLAGS: readonly FlagSpec[] = [
  { name: 'count', short: 'n', values: ['N'], type: 'integer', describe: '' },
  { name: 'quiet', short: 'q', describe: '' },
  { name: 'query', short: 'w', values: ['KEY', 'VALUE'], repeats: true, describe: '' },
];
const SHARED: readonly FlagSpec[] = [
  { name: 'no-netrc', short: 'n', describe: '' },
  { name: 'json', describe: '' },
];

function read(...words: string[]) {
  const [args, others] = [new Args(), new Args()];
  const rest = readFlags(words, FLAGS, args, { others: SHARED, otherArgs: others });
  return { args, others, rest };
}

describe('a command line', () => {
  test('takes options long, short, joined, with = and shortened', () => {
    for (const words of [['--count', '3'], ['--count=3'], ['-n', '3'], ['-n3'], ['-qn3'], ['--co', '3'], ['-n=3']]) {
      assert.equal(read(...words).args.number('count', 0), 3, words.join(' '));
    }
    assert.throws(() => read('--qu'), /--qu could be --quiet or --query/);
  });

  test("gives a command's own letter to the command, and the program's options to the program", () => {
    const { args, others, rest } = read('-n', '3', 'word', '--json', '--no-netrc');
    assert.deepEqual(
      [args.text('count'), others.has('json'), others.has('no-netrc'), rest],
      ['3', true, true, ['word']],
    );
  });

  test('collects pairs, and takes everything after -- as it is', () => {
    const { args, rest } = read('-w', 'a', '1', '--query', 'b', '-2', '--', '-q', '--json');
    assert.deepEqual(args.pairs('query'), [
      ['a', '1'],
      ['b', '-2'],
    ]);
    assert.deepEqual(rest, ['-q', '--json']);
    assert.equal(args.has('quiet'), false);
  });

  test('names what is wrong', () => {
    assert.throws(() => read('--frob'), /unknown option --frob/);
    assert.throws(() => read('-n'), /-n needs N/);
    assert.throws(() => read('-w', 'a', '--json'), /-w needs KEY VALUE/);
    assert.throws(() => read('--quiet=yes'), /--quiet takes no value/);
    assert.throws(() => read('-n', '1.5'), /-n must be a whole number, not "1.5"/);
    const specs = [
      { name: 'A', describe: '' },
      { name: 'B', describe: '', optional: true as const },
    ];
    assert.throws(() => readArguments([], specs, new Args()), /A is missing/);
    assert.throws(() => readArguments(['1', '2', '3'], specs, new Args()), /unexpected argument "3"/);
  });
});

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

for (const program of [HASH_CLIENT, PR_CLIENT] as AnyProgram[]) {
  const names = Object.keys(program.commands);
  const flags = [...program.flags, ...names.flatMap((name) => program.commands[name]!.flags ?? [])] as FlagSpec[];

  test(`completion of ${program.name} knows every command and option in every shell`, () => {
    for (const shell of SHELLS) {
      const script = completionScript(program, shell);
      for (const name of names) assert.match(script, new RegExp(`\\b${name}\\b`), `${name} in ${shell}`);
      for (const { name } of flags) assert.match(script, new RegExp(`(--|-l )${name}\\b`), `--${name} in ${shell}`);
    }
  });

  test(`the manual page of ${program.name} knows every command and option`, () => {
    const page = manPage(program, '1').replaceAll('\\-', '-');
    for (const name of names) assert.match(page, new RegExp(`^\\.SS ${name}( |$)`, 'm'));
    for (const { name } of flags) assert.match(page, new RegExp(`--${name}\\b`));
    assert.doesNotMatch(page, /^\.(?!TH|SH|SS|TP|PP|B |BR |RS|RE|nf|fi)/m);
  });
}

const bash = spawnSync('bash', ['-c', 'type compgen complete'], { stdio: 'ignore' }).status === 0;
if (bash) {
  const complete = (...words: string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `${completionScript(HASH_CLIENT as AnyProgram, 'bash')}
      COMP_WORDS=(bakeserv-hashclient ${list}); COMP_CWORD=${words.length}; compopt() { :; }
      _bakeserv_hashclient; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };

  test('bash completes commands, options and choices', () => {
    assert.deepEqual(complete('gc-m'), ['gc-mark', 'gc-mark-stream']);
    assert.deepEqual(complete('--address', 'unix://x', 'uni'), ['unihash-exists']);
    assert.deepEqual(complete('ping', '--qu'), ['--quiet']);
    assert.deepEqual(complete('completion', ''), ['bash', 'zsh', 'fish']);
    assert.deepEqual(complete('--addr'), ['--address']);
    assert.deepEqual(complete('ping', '--count', ''), ['']);
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
