import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERROR_CODES, STORAGE_TEXTS } from '../../lib/errors.ts';
import { HASH_COMMANDS } from '../../lib/hashserv/commands/table.ts';
import { PR_COMMANDS } from '../../lib/prserv/commands/table.ts';
import { BINARIES, documents, overviewOf, PACKAGE, readDocument, tableRows } from './docs-helpers.ts';

const README = readDocument('README.md');
const USER_PAGES = documents().filter((file) => file === 'README.md' || file.startsWith('docs/'));
const USER_TEXT = USER_PAGES.map(readDocument).join('\n');

describe('the subcommands', () => {
  for (const binary of BINARIES) {
    test(`those of ${binary} are in README or docs`, () => {
      const missing = overviewOf(binary).filter(
        (name) => !USER_TEXT.includes(`${binary} ${name}`) && !USER_TEXT.includes(`\`${name}`),
      );
      assert.deepEqual(missing, []);
    });
  }
});

describe('docs/protocol.md', () => {
  const protocol = readDocument('docs/protocol.md');
  const sections = (service: string) =>
    protocol
      .split(/^## /m)
      .filter((section) => new RegExp(`^(Added )?commands of the ${service} service`, 'i').test(section));
  const nameIn = (row: readonly string[]) => row[0]!.replaceAll('`', '');
  const listed = (service: string) => sections(service).flatMap(tableRows).map(nameIn).sort();

  test('lists exactly the commands of the hash equivalence service', () => {
    assert.deepEqual(listed('hash equivalence'), Object.keys(HASH_COMMANDS).sort());
  });

  test('lists exactly the commands of the PR service', () => {
    assert.deepEqual(listed('PR'), Object.keys(PR_COMMANDS).sort());
  });

  test('says of every command which permissions it needs', () => {
    for (const section of sections('hash equivalence')) {
      // A section whose commands all need the same may say so once.
      const [, shared = ''] = /^All need (.*?)\./m.exec(section) ?? [];
      for (const row of tableRows(section)) {
        const { needs } = HASH_COMMANDS[nameIn(row)]!;
        const missing = needs.filter((permission) => !`${row[1]} ${shared}`.includes(`\`${permission}\``));
        assert.deepEqual(missing, [], nameIn(row));
      }
    }
  });
});

test('docs/errors.md lists exactly the error codes, with their meaning, an occasion, an advice and an exit status', () => {
  const rows = tableRows(readDocument('docs/errors.md'));
  assert.deepEqual(
    rows.map(([code, meaning]) => [code!.replaceAll('`', ''), meaning]),
    Object.entries(ERROR_CODES),
  );
  for (const [code, , when, advice, status] of rows) {
    assert(when && advice, `${code} has an occasion and an advice`);
    assert.match(status!, /^(–|\d)/, `${code} has an exit status`);
  }
});

test('docs/errors.md says what a client is told of each failure of a database', () => {
  const told = tableRows(readDocument('docs/errors.md')).map((row) => [row[0]!.replaceAll('`', ''), row[5]!]);
  assert.deepEqual(
    told.filter(([code]) => code!.startsWith('storage-')).map(([code, text]) => [code, /^`([^`]*)`/.exec(text!)?.[1]]),
    Object.entries(STORAGE_TEXTS),
  );
});

describe('README’s two commands', () => {
  test('are npm ci with start and test, which package.json has', () => {
    const commands = [...README.matchAll(/^ {4}(npm ci && npm \w+)$/gm)].map(([, command]) => command);
    assert.deepEqual(commands, ['npm ci && npm start', 'npm ci && npm test']);
    assert(PACKAGE.scripts.start && PACKAGE.scripts.test);
  });

  test('the second is the one CI runs', () => {
    assert.match(readDocument('.ci/run'), /^npm ci && npm test$/m);
  });
});
