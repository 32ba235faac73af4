import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { memoryOf } from '../../lib/cli/insights/shared-state-memory.ts';
import { atOnce } from '../../lib/insights/in-turns.ts';
import { proposalsFor } from '../../lib/insights/shared-state/fix.ts';
import { surveyFolder } from '../../lib/insights/shared-state/folder.ts';
import { KnownUnihashes } from '../../lib/insights/shared-state/known-unihashes.ts';
import { readMemory, writeMemory } from '../../lib/insights/shared-state/memory.ts';
import { candidateNames, readObjectName, templateFault } from '../../lib/insights/shared-state/object-name.ts';
import { Packages } from '../../lib/insights/shared-state/packages.ts';
import type { Place } from '../../lib/insights/shared-state/run.ts';
import { readUnihashes, type TaskReader, type TaskRow } from '../../lib/insights/shared-state/source.ts';
import { type Orphan, Survey, type UnihashRow } from '../../lib/insights/shared-state/survey.ts';
import { temporaryFolder } from '../helpers.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z') / 1000;
const DAY = 86_400;
const hash = (number: number) => number.toString(16).padStart(8, '0').repeat(8);
const objectName = (unihash: string, PN = 'zlib', task = 'package') =>
  `sstate:${PN}:core2-64-poky-linux:1.3.1:r0:core2-64:12:${unihash}_${task}.tar.zst`;
const rowOf = (number: number, more: Partial<UnihashRow> = {}): UnihashRow => ({
  ...{ unihash: hash(number), PN: 'zlib', PV: '1.3.1', PR: 'r0', task: 'do_package' },
  created: '2026-11-01T00:00:00.000000+00:00',
  ...more,
});

/** Puts an object where OpenEmbedded would, made long ago. */
function put(folder: string, unihash: string, name = objectName(unihash), modified = NOW - 10 * DAY): string {
  const inner = path.join(folder, unihash.slice(0, 2), unihash.slice(2, 4));
  fs.mkdirSync(inner, { recursive: true });
  const file = path.join(inner, name);
  fs.writeFileSync(file, 'x'.repeat(7));
  fs.utimesSync(file, modified, modified);
  return file;
}

function surveyOf(rows: readonly UnihashRow[], minAge = DAY): Survey {
  const survey = new Survey(NOW, minAge);
  survey.addUnihashes(rows);
  return survey;
}

describe('names of shared-state objects', () => {
  test('tell unihash, recipe and task; what lies beside an object is none', () => {
    const name = objectName(hash(1), 'gtk+3', 'package_write_rpm');
    assert.deepEqual(readObjectName(name), { unihash: hash(1), PN: 'gtk+3', task: 'package_write_rpm' });
    assert.equal(readObjectName(`${name}.siginfo`), 'beside');
    assert.equal(readObjectName(`${name}.sig`), 'beside');
    for (const other of [`${name}.part`, `${hash(1)}_package.tar.zst`, objectName(hash(171).toUpperCase()), 'sstate:'])
      assert.equal(readObjectName(other), null, other);
  });

  test('are made up from what the hash database knows, for targets, the build machine and what is common to all', () => {
    const rule = { templates: [], pkgarchs: [] };
    const fields = rowOf(1);
    assert.deepEqual(
      candidateNames(fields, { ...rule, pkgarchs: ['core2-64'] }),
      [`00/00/${objectName(hash(1))}`],
      'a task is told with or without do_',
    );
    assert.equal(candidateNames(fields, rule).length, 3);
    const native = candidateNames({ ...fields, PN: 'zlib-native' }, rule);
    assert.deepEqual(native, [
      `universal/00/00/sstate:zlib-native:x86_64-linux:1.3.1:r0:x86_64:12:${hash(1)}_package.tar.zst`,
    ]);
    const license = candidateNames({ ...fields, task: 'populate_lic' }, rule);
    assert.deepEqual(license, [`00/00/sstate:zlib::1.3.1:r0::12:${hash(1)}_populate_lic.tar.zst`]);
  });

  test('cannot be made up where a field is not known, or would lead to another folder', () => {
    const rule = { templates: [], pkgarchs: ['a'] };
    assert.deepEqual(candidateNames(rowOf(1, { PV: null }), rule), []);
    assert.deepEqual(candidateNames(rowOf(1, { PN: '../../secret' }), rule), []);
    assert.deepEqual(candidateNames(rowOf(1, { PN: null }), { templates: ['{folder}/{unihash}'], pkgarchs: [] }), [
      `00/00/${hash(1)}`,
    ]);
  });

  test('a template names its fields and stays below the mirror', () => {
    assert.equal(templateFault('{folder}/{PN}/{unihash}'), null);
    assert.match(templateFault('{folder}/x')!, /\{unihash\} must be in it/);
    assert.match(templateFault('{arch}/{unihash}')!, /no field is called \{arch\}: there are \{unihash\}, \{PN\}/);
    for (const template of ['/{unihash}', '../{unihash}', 'a/../{unihash}', '{unihash}?x', 'a b{unihash}'])
      assert.match(templateFault(template)!, /path below/, template);
  });
});

describe('a folder of shared state', () => {
  test('compared with a server: as a model that holds both', async (t) => {
    const top = temporaryFolder(t);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 20 }),
        fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 20 }),
        async (named, present) => {
          const folder = path.join(top, String(runs++));
          fs.mkdirSync(folder);
          for (const number of present) put(folder, hash(number));
          const survey = surveyOf(named.map((number) => rowOf(number)));
          const orphans: Orphan[] = [];
          const figures = await surveyFolder(survey, folder, { onOrphan: async (one) => void orphans.push(one) });
          const missing = named.filter((number) => !present.includes(number));
          const unnamed = present.filter((number) => !named.includes(number));
          assert.equal(figures.objects, present.length);
          assert.deepEqual(
            [...survey.numbers('missing')].map((n) => survey.known.unihash(n)).sort(),
            missing.map(hash).sort(),
          );
          assert.deepEqual(orphans.map(({ unihash }) => unihash).sort(), unnamed.map(hash).sort());
          const totals = atOnce(survey.totals());
          assert.deepEqual(
            [totals.unihashes, totals.missing, totals.present, totals.orphans, totals.orphanBytes],
            [named.length, missing.length, named.length - missing.length, unnamed.length, 7 * unnamed.length],
          );
          const [tally] = atOnce(survey.byRecipe(1)).first;
          if (tally) assert.deepEqual([tally.PN, tally.task, tally.unihashes], ['zlib', 'package', named.length]);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('gives others turns, also where there are a million unihashes', () => {
    const survey = new Survey(NOW, DAY);
    const COUNT = 20_000;
    const row = (i: number) => ({ ...rowOf(i), unihash: (i * 7919).toString(16).padStart(64, '0'), PN: `p${i}` });
    survey.addUnihashes(Array.from({ length: COUNT }, (_, i) => row(i)));
    const turnsOf = (work: Iterator<void>) => {
      let turns = 0;
      while (!work.next().done) turns++;
      return turns;
    };
    const turns = [survey.closeWalk(), survey.totals(), survey.byRecipe(3)].map(turnsOf);
    assert.ok(
      turns.every((each) => each >= COUNT / 5000),
      turns.join(', '),
    );
    const { first, more } = atOnce(survey.byRecipe(3));
    assert.deepEqual([first.map(({ PN }) => PN), more], [['p0', 'p1', 'p10'], COUNT - 3]);
  });

  test('a signature without its object is none, and what is young is not counted yet', async (t) => {
    const folder = temporaryFolder(t);
    put(folder, hash(1), `${objectName(hash(1))}.siginfo`);
    put(folder, hash(7), objectName(hash(7)), NOW - 60);
    fs.writeFileSync(path.join(folder, 'notes.txt'), '');
    const survey = surveyOf([
      rowOf(1),
      rowOf(2, { created: '2026-11-22T11:00:00+00:00' }),
      rowOf(3, { created: null }),
    ]);
    const figures = await surveyFolder(survey, folder);
    assert.deepEqual([figures.objects, figures.beside, figures.other], [1, 1, 1]);
    const { missing, recent, orphans, recentOrphans } = atOnce(survey.totals());
    assert.deepEqual(
      { missing, recent, orphans, recentOrphans },
      { missing: 2, recent: 1, orphans: 0, recentOrphans: 1 },
    );
  });

  test('links to files count, links to folders are not followed, and one that leads to nothing is no object', async (t) => {
    const folder = path.join(temporaryFolder(t), 'sstate');
    const outside = path.join(temporaryFolder(t), 'outside');
    const file = put(outside, hash(1));
    put(outside, hash(2));
    fs.mkdirSync(path.join(folder, '00/00'), { recursive: true });
    fs.symlinkSync(file, path.join(folder, '00/00', objectName(hash(1))));
    fs.symlinkSync(outside, path.join(folder, 'mirror'));
    fs.symlinkSync(folder, path.join(folder, 'round'));
    fs.symlinkSync('/nowhere', path.join(folder, '00/00', objectName(hash(3))));
    const survey = surveyOf([rowOf(1), rowOf(2), rowOf(3)]);
    const figures = await surveyFolder(survey, folder);
    assert.deepEqual([figures.objects, figures.links], [1, 3]);
    assert.deepEqual(
      [...survey.numbers('missing')].map((n) => survey.known.unihash(n)),
      [hash(2), hash(3)],
    );
  });

  test('what vanishes is passed over; a folder that cannot be read is counted and named', async (t) => {
    const folder = temporaryFolder(t);
    const file = put(folder, hash(1));
    for (const name of ['gone', 'closed']) fs.mkdirSync(path.join(folder, name));
    fs.mkdirSync(path.join(folder, '1/2/3/4/5/6/7'), { recursive: true });
    const real = fs.promises.opendir;
    t.mock.method(fs.promises, 'opendir', (name: string, options: object) => {
      const code = { gone: 'ENOENT', closed: 'EACCES' }[path.basename(name)];
      const errno = code === 'EACCES' ? -13 : -2;
      if (code) throw Object.assign(new Error(code), { code, errno, syscall: 'opendir', path: name });
      return real(name, options);
    });
    const survey = surveyOf([rowOf(1)]);
    const figures = await surveyFolder(survey, folder);
    assert.deepEqual([figures.objects, figures.vanished, figures.unreadable], [1, 1, 2]);
    assert.match(figures.problems.join('\n'), /closed: permission denied/);
    assert.match(figures.problems.join('\n'), /7: deeper than 6 folders/);
    assert.ok(fs.existsSync(file));
    await assert.rejects(surveyFolder(survey, path.join(folder, 'none')), /none: no such file or directory/);
  });
});

describe('what is proposed', () => {
  const totals = {
    unihashes: 4,
    present: 2,
    missing: 2,
    recent: 0,
    unknown: 0,
    orphans: 1,
    orphanBytes: 7,
    recentOrphans: 0,
  };
  const figures = {
    folders: 1,
    files: 3,
    links: 0,
    vanished: 0,
    unreadable: 0,
    problems: [],
    objects: 3,
    beside: 0,
    other: 0,
  };
  const facts = { totals, folder: figures, shown: "/srv/it's here", address: 'unix:///run/h.sock' };

  test('is a garbage collection and a removal, as a shell takes them', () => {
    const [forget, remove] = proposalsFor(facts);
    assert.deepEqual(forget!.commands, [
      "bakeserv-hashclient --address unix:///run/h.sock gc --sstate-dir '/srv/it'\\''s here' --dry-run",
      "bakeserv-hashclient --address unix:///run/h.sock gc --sstate-dir '/srv/it'\\''s here'",
    ]);
    assert.equal(remove!.commands.at(-1), 'xargs -0 -r rm -f -- < objects-to-remove.list');
    const mirror = proposalsFor({ ...facts, folder: null, shown: 'https://h/' });
    assert.equal(mirror.length, 1, 'what a mirror has and nobody names is not known');
    assert.match(mirror[0]!.commands[0]!, /--sstate-mirror https:\/\/h\/ --keep unihashes-to-keep\.txt$/);
  });

  test('is nothing where something could not be seen, where it is the wrong place, and where all is in step', () => {
    const without = (more: object, folder: object = {}) =>
      proposalsFor({ ...facts, totals: { ...totals, ...more }, folder: { ...figures, ...folder } });
    for (const [proposals, why] of [
      [without({}, { unreadable: 1 }), /1 folders could not be read/],
      [without({ present: 0, missing: 4 }), /is it the right place/],
      [without({ present: 0, missing: 0, unknown: 4 }), /It is not known of any unihash/],
      [without({ present: 4, missing: 0, orphans: 0 }), /nothing to do/],
    ] as const) {
      assert.equal(proposals.length, 1);
      assert.match(proposals[0]!.why, why);
      assert.deepEqual(proposals[0]!.commands, []);
    }
  });

  test('what is remembered is for one server and place; a relative socket is another one in another folder', () => {
    const place = { kind: 'folder', folder: '/srv/sstate' } as const;
    const at = (address: string, file?: string) => memoryOf(file, address, place, { XDG_CACHE_HOME: '/cache' });
    assert.match(at('unix://./h.sock')!.file, /^\/cache\/bakeserv\/shared-state-[0-9a-f]{32}$/);
    assert.equal(at('unix://./h.sock')!.file, at(`unix://${path.resolve('h.sock')}`)!.file);
    assert.notEqual(at('unix:///a')!.file, at('unix:///b')!.file);
    assert.equal(at('x', 'none'), null);
    assert.equal(at('x', '/my/file')!.file, '/my/file');
    const mirror = { kind: 'mirror', address: 'https://u:secret@h/x' } as unknown as Place;
    assert.doesNotMatch(memoryOf('f', 'x', mirror)!.about, /secret/);
  });
});

describe('what is known of unihashes', () => {
  test('since when one is missing outlives runs, until its object is there', async (t) => {
    const folder = temporaryFolder(t);
    const file = path.join(temporaryFolder(t), 'cache/memory');
    const run = async (now: number) => {
      const survey = new Survey(now, 0);
      survey.addUnihashes([rowOf(1), rowOf(2)]);
      await readMemory(file, 'the folder', survey.known);
      await surveyFolder(survey, folder);
      await writeMemory(file, 'the folder', survey.known);
      return [...survey.numbers('missing')].map((number) => survey.known.get(number, 'missingSince'));
    };
    assert.deepEqual(await run(NOW), [NOW, NOW]);
    put(folder, hash(2));
    assert.deepEqual(await run(NOW + 10), [NOW]);
    fs.rmSync(path.join(folder, '00'), { recursive: true });
    assert.deepEqual(await run(NOW + 20), [NOW, NOW + 20]);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ['memory']);
    const other = surveyOf([rowOf(1)]);
    await readMemory(file, 'another folder', other.known);
    assert.equal(other.known.get(0, 'missingSince'), 0, 'it is of something else');
    fs.writeFileSync(file, `${fs.readFileSync(file, 'utf8').split('\n')[0]}\nrubbish\n${hash(1)} - x y\n`);
    await readMemory(file, 'the folder', other.known);
    assert.equal(other.known.get(0, 'missingSince'), 0);
  });

  test('a hundred thousand are found again, in any order, and no other', () => {
    const known = new KnownUnihashes();
    for (let number = 0; number < 100_000; number++) assert.equal(known.add(hash(number)), number);
    for (let number = 0; number < 100_000; number += 997) {
      assert.equal(known.find(hash(number)), number);
      assert.equal(known.unihash(number), hash(number));
      assert.equal(known.find(hash(number + 100_000)), null);
      assert.equal(known.add(hash(number)), number);
    }
    assert.equal(known.size, 100_000);
  });

  test('the package and the time of a unihash are those of its oldest report', () => {
    const survey = surveyOf([
      rowOf(1, { PN: 'late', created: '2026-11-03T00:00:00+00:00' }),
      rowOf(1, { PN: 'first', created: '2026-11-01T00:00:00+00:00' }),
      rowOf(1, { PN: null, created: null }),
      rowOf(1, { PN: 'later', created: '2026-11-02T00:00:00+00:00' }),
      { ...rowOf(2), unihash: 'not one' },
    ]);
    assert.equal(survey.known.size, 1);
    assert.equal(survey.packages.get(survey.known.get(0, 'package')).PN, 'first');
    assert.equal(survey.known.get(0, 'reported'), Date.parse('2026-11-01') / 1000);
  });

  test('are read from a server page by page', async () => {
    const rows = [1, 2, 3].map((n): TaskRow => [hash(n), `2026-0${n}`, `pn${n}`, '1', 'r0', 'package']);
    const odd: TaskRow = [null, null, null, null, null, null];
    const asked: number[] = [];
    const reader: TaskReader = async (after) => {
      asked.push(after);
      const all = [...rows, odd];
      return { rows: all.slice(after, after + 3), next: after === 0 ? 3 : null };
    };
    const read: UnihashRow[] = [];
    for await (const page of readUnihashes(reader)) read.push(...page);
    assert.deepEqual(asked, [0, 3]);
    assert.deepEqual(read[2], { unihash: hash(3), created: '2026-03', PN: 'pn3', PV: '1', PR: 'r0', task: 'package' });
    assert.deepEqual(
      read.map(({ unihash }) => unihash),
      [hash(1), hash(2), hash(3), ''],
    );
    const survey = new Survey(1000, 0);
    survey.addUnihashes(read);
    assert.equal(survey.known.size, 3, 'what is no unihash is left out');
  });

  test('are of packages that are told apart, whatever they are called', () => {
    const packages = new Packages();
    const of = (PN: string | null, PV: string | null, PR: string | null, task: string | null) => ({ PN, PV, PR, task });
    const all = [
      of('ab', 'c', null, null),
      of('a', 'bc', null, null),
      of(null, null, null, 'x'),
      of('null', null, null, 'x'),
    ];
    const numbers = all.map((one) => packages.add(one));
    assert.equal(new Set(numbers).size, all.length);
    assert.deepEqual(
      numbers.map((number) => packages.get(number)),
      all,
    );
  });
});
