import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Names } from '../../lib/promote/names.ts';

/** Which of these reports are taken, as `PN PV PR`. */
const reports = (packages: readonly string[], ...texts: string[]) => {
  const names = new Names(packages);
  return texts.filter((text) => {
    const [PN, PV, PR] = text.split(' ').map((each) => (each === '-' ? null : each)) as (string | null)[];
    return names.takesReport(PN!, PV!, PR!);
  });
};

describe('the packages that are promoted', () => {
  test('are a recipe with all its versions, or one version', () => {
    const all = ['busybox 1.36 r0', 'busybox 1.37 r0', 'busybox-ng 1.36 r0', 'busy 1 r0', '- 1.36 r0'];
    assert.deepEqual(reports(['busybox'], ...all), ['busybox 1.36 r0', 'busybox 1.37 r0']);
    assert.deepEqual(reports(['busybox-1.36-r0'], ...all, 'busybox 1.36 r1'), ['busybox 1.36 r0']);
    const names = new Names(['busybox', 'bash-5.2-r0']);
    const versions = ['busybox-1.36-r0', 'busybox-ng-1.36-r0', 'bash-5.2-r0', 'bash-5.2-r1', 'busybox', 'bash'];
    assert.deepEqual(
      versions.filter((version) => names.takesValue(version)),
      ['busybox-1.36-r0', 'bash-5.2-r0', 'busybox'],
    );
  });

  test('a version has its epoch before it, which a report does not tell; a report without its PR is of all revisions', () => {
    assert.deepEqual(reports(['perl-1_5.40-r0'], 'perl 5.40 r0', 'perl 1_5.40 r0', 'perl 5.40 r1'), [
      'perl 5.40 r0',
      'perl 1_5.40 r0',
    ]);
    assert.deepEqual(reports(['perl-5.40-r0'], 'perl 5.40 -', 'perl - r0', 'perl 5.41 -'), ['perl 5.40 -']);
  });

  test('a recipe may look like a version, or like a pattern', () => {
    assert.deepEqual(reports(['gtk-4-doc'], 'gtk-4-doc 1.0 r0', 'gtk 4 doc'), ['gtk-4-doc 1.0 r0', 'gtk 4 doc']);
    assert.deepEqual(
      reports(['a*', '__proto__', 'constructor'], 'ab 1 r0', 'a* 1 r0', '__proto__ 1 r0', 'toString 1 r0'),
      ['a* 1 r0', '__proto__ 1 r0'],
    );
  });

  test('those that were never met are named, with what is near; many of them shortly', async () => {
    const names = new Names(['busybox', 'bsh', 'zzzzz']);
    for (const version of ['busybox-1-r0', 'bash-5-r0']) names.takesValue(version);
    assert.equal(await names.fault('S'), 'S has no package "bsh" (did you mean bash?), "zzzzz"');
    names.takesReport('bsh', '1', 'r0');
    names.takesReport('zzzzz', null, null);
    assert.equal(await names.fault('S'), null);
    const many = new Names(Array.from({ length: 30 }, (_, n) => `p${n}`));
    assert.match((await many.fault('S'))!, /"p19" and 10 more$/);
  });

  test('what is near is looked for among short names alone, as others choose them: comparing takes the product of two', async () => {
    const long = 'x'.repeat(41);
    const names = new Names([`${long}y`, 'a'.repeat(1000), 'bsh', 'zsch', 'fih', 'ksch', 'dsh', 'tsch']);
    for (const recipe of [long, 'a'.repeat(999), 'bash', 'zsh', 'fish', 'ksh', 'dash', 'tcsh'])
      names.takesValue(`${recipe}-1-r0`);
    assert.equal(
      await names.fault('S'),
      `S has no package "${long}y", "${'a'.repeat(100)}…", "bsh" (did you mean bash?), "zsch" (did you mean zsh?), ` +
        '"fih" (did you mean fish?), "ksch", "dsh", "tsch"',
    );
  });

  test('every report and value that is taken is of a recipe that the source is asked for', () => {
    const word = fc.stringMatching(/^[a-z*][a-z*_-]{0,4}$/);
    const part = fc.constantFrom('1', '1_2', '2', 'r0', '1.0', '');
    fc.assert(
      fc.property(word, part, part, fc.array(word), (PN, PV, PR, others) => {
        const version = `${PN}-${PV}-${PR}`;
        const names = new Names([version, ...others]);
        assert.ok(names.takesReport(PN, PV, PR), 'its own reports');
        assert.ok(names.takesValue(version), 'its own values');
        assert.ok(names.recipes.includes(PN));
        for (const each of others) assert.ok(names.takesReport(each, null, null) && names.recipes.includes(each));
      }),
    );
  });
});
