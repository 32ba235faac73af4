import assert from 'node:assert/strict';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDump, parseDumpLine } from '../../lib/prserv/files/bitbake-dump.ts';
import { loadCsvFormat, readCsv as readCsvFrom } from '../../lib/prserv/files/csv.ts';
import { FORMATS, type Parsed } from '../../lib/prserv/files/formats.ts';
import { parseJsonLine, readRows } from '../../lib/prserv/files/reading.ts';

const row = (version: string, pkgarch: string, checksum: string, value: string) => ({
  version,
  pkgarch,
  checksum,
  value,
});
const dump = (rows: ReturnType<typeof row>[]) => [...formatDump(rows, { lockdown: false, metainfo: {} })].join('');

const CSV_HEADER = 'version,pkgarch,checksum,value\n';

async function readCsv(text: string, piece = text.length || 1): Promise<Parsed[]> {
  const pieces = Array.from({ length: Math.ceil(text.length / piece) }, (_, i) =>
    text.slice(i * piece, (i + 1) * piece),
  );
  const read: Parsed[] = [];
  for await (const parsed of readCsvFrom(Readable.from(pieces))) read.push(parsed);
  return read;
}

test('a dump row is split from the right: a version may hold $', () => {
  assert.deepEqual(parseDumpLine('PRAUTO$a$b-1-r0$core2$abc = "3.1"', 4), {
    line: 4,
    row: row('a$b-1-r0', 'core2', 'abc', '3.1'),
  });
});

test('a dump may set its rows in every way a configuration file can', () => {
  for (const line of ['PRAUTO$a$b$c="1"', '  PRAUTO$a$b$c ?= "1"  ', "PRAUTO$a$b$c := '1'", 'PRAUTO$a$b$c ??= "1"']) {
    assert.deepEqual(parseDumpLine(line, 1), { line: 1, row: row('a', 'b', 'c', '1') }, line);
  }
});

test('what a dump holds beside its rows does not count; what is neither is an error', () => {
  for (const line of ['', '# PRAUTO$a$b$c = "1"', 'PRSERV_LOCKDOWN = "1"', 'PRAUTO_a-1.0_core2 = "7"']) {
    assert.equal(parseDumpLine(line, 1), null, line);
  }
  for (const line of ['PRAUTO$a$b = "1"', 'PRAUTO$a$b$c = 1', 'PRAUTO$a$b$c', 'hello']) {
    assert.ok('error' in parseDumpLine(line, 1)!, line);
  }
});

test('after the rows of a version its largest value stands for each architecture, compared as numbers', () => {
  assert.equal(
    dump([row('a', 'x', '1', '9'), row('a', 'x', '2', '10'), row('a', 'y', '1', '0'), row('b', 'x', '1', '0')]),
    `PRAUTO$a$x$1 = "9"
PRAUTO$a$x$2 = "10"
PRAUTO$a$y$1 = "0"
PRAUTO_a_x = "10"
PRAUTO_a_y = "0"
PRAUTO$b$x$1 = "0"
PRAUTO_b_x = "0"
`,
  );
  assert.equal(dump([]), '');
});

test('a row that a dump cannot carry is refused', () => {
  for (const bad of [
    row('a', 'b$c', 'd', '1'),
    row('a', 'b', 'c ', '1'),
    row('a\nb', 'c', 'd', '1'),
    row('a', 'b', 'c', '"'),
  ]) {
    assert.throws(() => dump([bad]), /a BitBake dump cannot carry this row/);
  }
});

test('column information stands in comments', () => {
  const column = { name: 'version', type: 'TEXT', notnull: 1, dflt_value: null, pk: 1 };
  const metainfo = { tbl_name: 'PRMAIN', core_ver: '2.19.0', col_info: [column] };
  const text = [...formatDump([], { lockdown: true, metainfo })].join('');
  assert.match(
    text,
    /^#PR_core_ver = "2\.19\.0"\n\n#Table: PRMAIN\n#Columns:\n#name .*\n#-.*\n#version .*TEXT.*\n\nPRSERV_LOCKDOWN = "1"\n/,
  );
  for (const [i, line] of text.split('\n').entries()) assert.equal(parseDumpLine(line, i), null, line);
});

test('CSV carries any text, in pieces of any size', async () => {
  const rows = [
    row('a', 'b', 'c', '1'),
    row('x,"y"', 'line\nbreak', ' blank ', '2.3'),
    row('', 'é', 'z\r', '3'),
    row('crlf', 'a\r\nb', '\tc', '4'),
    row('d', 'e', 'f', '5'),
  ];
  const format = await loadCsvFormat();
  const text = [...format(rows)].join('');
  assert.ok(text.startsWith(`${CSV_HEADER}a,b,c,1\n"x,""y""","line\nbreak"," blank ",2.3\n"",é,"z\r",3\n`), text);
  for (const piece of [1, 2, 7, text.length]) {
    const read = await readCsv(text, piece);
    assert.deepEqual(
      read.map((each) => 'row' in each && each.row),
      rows,
    );
    assert.deepEqual(
      read.map(({ line }) => line),
      [2, 3, 5, 6, 8],
    );
  }
});

test('CSV columns may come in any order, lines may end in CR LF, and the last newline may be missing', async () => {
  assert.deepEqual(await readCsv('value,checksum,pkgarch,version\r\n1,c,b,a\r\n\r\n2,c,b,a'), [
    { line: 2, row: row('a', 'b', 'c', '1') },
    { line: 4, row: row('a', 'b', 'c', '2') },
  ]);
});

test('what is wrong in CSV is told with its line', async () => {
  assert.deepEqual(await readCsv(''), [{ line: 1, error: 'the header is missing: version,pkgarch,checksum,value' }]);
  assert.deepEqual(await readCsv('a,b\n'), [
    { line: 1, error: 'the header does not name version, pkgarch, checksum, value' },
  ]);
  assert.deepEqual(await readCsv(`${CSV_HEADER}a,b,c\nd,e,f,1\n"x`), [
    { line: 2, error: 'expected 4 fields, found 3' },
    { line: 3, row: row('d', 'e', 'f', '1') },
    { line: 4, error: 'a quote that is not closed, or text beside a quoted field' },
  ]);
  assert.deepEqual(await readCsv(`${CSV_HEADER}"a\r\na",b,c,1\nd"d,e,f,2\ng,h,i,3\n`), [
    { line: 2, row: row('a\r\na', 'b', 'c', '1') },
    { line: 4, error: 'a quote that is not closed, or text beside a quoted field' },
    { line: 5, row: row('g', 'h', 'i', '3') },
  ]);
});

test('a file that cannot be read is an error, not an end', async () => {
  const broken = new Readable({ read() {} });
  broken.push(`${CSV_HEADER}a,b,c,1\nd,e,f,2\n`);
  const reading = readCsvFrom(broken);
  assert.deepEqual((await reading.next()).value, { line: 2, row: row('a', 'b', 'c', '1') });
  broken.destroy(new Error('bad disk'));
  await assert.rejects(reading.next(), /bad disk/);
});

// Unread streams with a fault ended the program: a server, where a job read the file.
test('a file that is not there, or is a folder, is an error that names it, in every format', async () => {
  const nowhere = path.join(os.tmpdir(), 'bakeserv-nobody-made-this', 'rows');
  for (const format of FORMATS) {
    await assert.rejects(readRows(nowhere, format).next(), {
      message: `cannot read ${nowhere}: no such file or directory`,
    });
    await assert.rejects(readRows(os.tmpdir(), format).next(), {
      message: `cannot read ${os.tmpdir()}: illegal operation on a directory`,
    });
    // Whoever asks for no row has opened nothing.
    readRows(nowhere, format);
  }
});

test('any rows are read as they were written, in pieces of any size', async () => {
  const format = await loadCsvFormat();
  const text = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r', 'é', '\t', "'") });
  const rows = fc.array(fc.record({ version: text, pkgarch: text, checksum: text, value: text }));
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 50 }), async (given, piece) => {
      const read = await readCsv([...format(given)].join(''), piece);
      assert.deepEqual(
        read.map((each) => 'row' in each && { ...each.row }),
        given.map((each) => ({ ...each })),
      );
    }),
  );
});

test('JSON lines may hold numbers as values; what is missing or no text is an error', () => {
  const fields = { version: 'a', pkgarch: 'b', checksum: 'c' };
  assert.deepEqual(parseJsonLine(JSON.stringify({ ...fields, value: 7 }), 3), {
    line: 3,
    row: row('a', 'b', 'c', '7'),
  });
  assert.deepEqual(parseJsonLine(JSON.stringify(fields), 3), { line: 3, error: 'value is missing' });
  assert.deepEqual(parseJsonLine(JSON.stringify({ ...fields, value: '1', checksum: 1 }), 3), {
    line: 3,
    error: 'checksum must be text',
  });
  assert.deepEqual(parseJsonLine('[1]', 3), { line: 3, error: 'not a JSON object' });
  assert.deepEqual(parseJsonLine('{', 3), { line: 3, error: 'not JSON' });
});
