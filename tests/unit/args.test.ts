import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Args } from '../../lib/cli/args/args.ts';
import { commandHelp, helpWidth, programHelp } from '../../lib/cli/args/help.ts';
import { readCommandLine } from '../../lib/cli/args/run.ts';
import type { Program } from '../../lib/cli/args/table.ts';
import type { Option } from '../../lib/settings/options.ts';

interface Call {
  readonly shared: Args;
  readonly args: Args;
}

const OWN: readonly Option[] = [
  { name: 'count', alias: 'n', values: ['N'], type: 'integer', describe: 'How many' },
  { name: 'quiet', alias: 'q', type: 'boolean', describe: 'Only the summary' },
  { name: 'query', alias: 'w', values: ['KEY', 'VALUE'], type: 'strings', describe: 'Which rows' },
  { name: 'format', type: 'string', choices: ['text', 'csv'], describe: 'How' },
];

function program(seen: (call: Call) => void, options: readonly Option[] = OWN): Program<Call> {
  return {
    name: 'demo',
    about: 'A program.',
    details: 'It shows.',
    options: [
      { name: 'address', values: ['ADDRESS'], type: 'string', describe: 'The server' },
      { name: 'no-netrc', alias: 'n', type: 'boolean', describe: 'No netrc' },
      { name: 'json', type: 'boolean', describe: 'As JSON' },
    ],
    environment: [],
    statuses: [['0', 'All went well.']],
    commands: {
      look: {
        describe: 'Look at something',
        options,
        arguments: [{ name: 'FILES', describe: 'Where', optional: true, many: true }],
        run: async (call) => {
          seen(call);
          return 7;
        },
      },
      secret: { describe: 'Hidden', hidden: true, run: async () => undefined },
    },
    open: (shared, args) => ({ shared, args }),
    close: () => {},
  };
}

async function read(...words: string[]): Promise<Call> {
  const calls: Call[] = [];
  const asked = await readCommandLine(
    program((call) => calls.push(call)),
    words,
  );
  assert.equal(asked.kind, 'command', words.join(' '));
  assert.equal(asked.kind === 'command' && (await asked.run()), 7);
  return calls[0]!;
}

describe('a command line', () => {
  test('takes options long, short, joined, with = and shortened', async () => {
    for (const words of [['--count', '3'], ['--count=3'], ['-n', '3'], ['-n3'], ['-qn3'], ['--co', '3'], ['-n=3']])
      assert.equal((await read('look', ...words)).args.number('count', 0), 3, words.join(' '));
    await assert.rejects(read('look', '--qu'), /--qu could be --quiet or --query/);
  });

  test("gives a command's own letter to the command, and the program's options to the program", async () => {
    const { shared, args } = await read('--addr', 'x', 'look', '-n', '3', 'word', '--json', '--no-netrc');
    assert.deepEqual(
      [args.text('count'), shared.text('address'), shared.has('json'), shared.has('no-netrc'), args.list('FILES')],
      ['3', 'x', true, true, ['word']],
    );
    assert.equal((await read('-n', 'look')).shared.has('no-netrc'), true);
  });

  test('collects pairs, and takes everything after -- as it is', async () => {
    const { shared, args } = await read('look', '-w', 'a', '1', '--query', 'b', '-2', '--', '-q', '--json', '7');
    assert.deepEqual(args.pairs('query'), [
      ['a', '1'],
      ['b', '-2'],
    ]);
    assert.deepEqual(args.list('FILES'), ['-q', '--json', '7']);
    assert.equal(args.has('quiet') || shared.has('json'), false);
  });

  test('names what is wrong, and what was probably meant', async () => {
    await assert.rejects(read('look', '--frob'), /unknown option --frob$/);
    await assert.rejects(read('look', '--coutn', '3'), /unknown option --coutn; did you mean --count\?/);
    await assert.rejects(read('look', '-n'), /-n needs N/);
    await assert.rejects(read('look', '-w', 'a', '--json'), /-w needs KEY VALUE/);
    await assert.rejects(read('look', '--quiet=yes'), /--quiet takes no value/);
    await assert.rejects(read('look', '-n', '1.5'), /-n must be a whole number, not "1.5"/);
    await assert.rejects(read('look', '--format', 'xml'), /--format must be text or csv, not "xml"/);
    await assert.rejects(read('loko'), /unknown command "loko"; did you mean look\?/);
    await assert.rejects(read(), /^Error: a command is missing$/);
    await assert.rejects(read('secret', 'x'), /unexpected argument "x"/);
  });

  test('names what there is to choose from where an argument is missing, wrong or asked about', async () => {
    const { look } = program(() => {}).commands;
    const choosing: Program<Call> = {
      ...program(() => assert.fail('the command ran')),
      commands: {
        jobs: {
          ...look!,
          arguments: [{ name: 'ACTION', describe: 'What to do', choices: ['list', 'show'], isCommand: true }],
        },
      },
    };
    await assert.rejects(readCommandLine(choosing, ['jobs']), /^Error: ACTION is missing: list, show$/);
    await assert.rejects(readCommandLine(choosing, ['jobs', 'lst']), /unknown command "lst"; did you mean list\?/);
    const asked = await readCommandLine(choosing, ['jobs', '--help']);
    assert.match(asked.kind === 'text' ? asked.text : '', /ACTION +What to do \(list, show\)\n/);
  });

  test('says that a command is written after -- where its options come before that', async () => {
    const { look } = program(() => {}).commands;
    const running: Program<Call> = {
      ...program(() => assert.fail('the command ran')),
      commands: {
        run: {
          ...look!,
          options: [{ name: 'ca', values: ['FILE'], type: 'string', describe: 'Whom to trust' }],
          arguments: [{ name: 'COMMAND', describe: 'What', optional: true, many: true, isBehindDashes: true }],
        },
      },
    };
    // Nor is an option named of which no letter was written.
    await assert.rejects(
      readCommandLine(running, ['run', 'sh', '-c', 'true']),
      /^Error: unknown option -c; COMMAND is written after --$/,
    );
    await assert.rejects(readCommandLine(running, ['run', '-c', '--', 'sh']), /^Error: unknown option -c$/);
  });

  test('has help as wide as the terminal, within reason, and empty defaults in none', () => {
    assert.deepEqual([undefined, 300, 100, 80, 20].map(helpWidth), [100, 100, 100, 80, 60]);
    const about = 'word '.repeat(60).trim();
    const wordy: Program<Call> = {
      ...program(() => {}, [
        { name: 'names', type: 'strings', default: [], describe: about },
        { name: 'sizes', type: 'strings', default: ['a', 'b'], describe: about },
      ]),
      about,
    };
    for (const width of [60, 80, 100])
      for (const text of [programHelp(wordy, width), commandHelp(wordy, 'look', width)])
        for (const line of text.split('\n')) assert.ok(line.startsWith('Usage: ') || line.length <= width, line);
    const text = commandHelp(wordy, 'look');
    assert.doesNotMatch(text, /\[default: \]/);
    assert.match(text, /\[default: a\s+and\s+b\]/);
  });

  test('asks for help and the version from the table alone', async () => {
    const ask = (...words: string[]) =>
      readCommandLine(
        program(() => assert.fail('the command ran')),
        words,
      );
    assert.deepEqual(await ask('--version'), { kind: 'version' });
    for (const words of [['--help'], ['-h'], ['help']]) {
      const asked = await ask(...words);
      assert.match(
        asked.kind === 'text' ? asked.text : '',
        /^A program\.\n\nUsage: demo [\s\S]+ look +Look at something\n/,
      );
    }
    for (const words of [
      ['look', '--help'],
      ['help', 'look'],
      ['look', 'x', '-h'],
    ]) {
      const asked = await ask(...words);
      assert.match(asked.kind === 'text' ? asked.text : '', /-w, --query KEY VALUE +Which rows/);
    }
  });

  test('is read back as it was given, however its options are written', async () => {
    const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter((each) => !/\0|^--./s.test(each));
    const use = fc.oneof(
      fc.record({ kind: fc.constant('count' as const), value: fc.nat() }),
      fc.record({ kind: fc.constant('query' as const), pair: fc.tuple(text, text) }),
      fc.record({ kind: fc.constant('address' as const), value: text }),
      fc.record({ kind: fc.constant('word' as const), value: text.filter((each) => !each.startsWith('-')) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 8 }), fc.boolean(), async (uses, equals) => {
        const words = uses.flatMap((each) => {
          if (each.kind === 'word') return [each.value];
          if (each.kind === 'query') return ['-w', ...each.pair];
          const value = String(each.value);
          return equals ? [`--${each.kind}=${value}`] : [`--${each.kind}`, value];
        });
        const { shared, args } = await read('look', ...words);
        const values = (kind: string) =>
          uses.flatMap((each) => (each.kind === kind && 'value' in each ? [String(each.value)] : []));
        assert.deepEqual(args.list('FILES'), values('word'));
        assert.deepEqual(args.text('count'), values('count').at(-1));
        assert.deepEqual(shared.text('address'), values('address').at(-1));
        assert.deepEqual(
          args.pairs('query'),
          uses.flatMap((each) => (each.kind === 'query' ? [each.pair] : [])),
        );
      }),
      { numRuns: 200 },
    );
  });
});
