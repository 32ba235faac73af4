import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser } from '../e2e/needs.ts';
import { BUILDS } from './data.ts';
import { onStage } from './harness.ts';

const scene = onStage();

test('a new user finds out from the page alone why two builds of a recipe are not reproducible', {
  skip: noBrowser(),
}, async (t) => {
  const { page, checkAccess } = await scene().visit(t);
  // Nothing but what the page itself names: links, labels and buttons.
  await page.getByRole('link', { name: 'Insights' }).click();
  await page.getByText('Tasks whose inputs were the same and whose outputs were not').waitFor();
  await page
    .getByRole('row')
    .filter({ hasText: BUILDS.PN })
    .filter({ hasText: 'populate_sysroot' })
    .getByRole('link', { name: 'Compare outputs' })
    .click();

  await page.getByText('4 of 24 files and folders differ: 3 with other content, 1 only in').waitFor();
  const reasons = {
    './usr/bin/hello': /A program or library.*__DATE__/s,
    './usr/share/man/man1/hello.1.gz': /Compressed with the time in it.*gzip.*-n/s,
    './usr/share/doc/hello/build-info': /A note about the build itself.*SOURCE_DATE_EPOCH/s,
    './usr/include/hello/config.h': /There in one build only.*not there/s,
  };
  for (const [file, reason] of Object.entries(reasons)) {
    const panel = page.locator('section.panel', { has: page.getByText(file, { exact: true }) });
    assert.match(await panel.innerText(), reason, file);
  }
  await checkAccess();
});

test('of the whole package the page names the one file in eighteen hundred that has other permissions', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { at: `#/lookup?q=${BUILDS.PN}` });
  const notice = page.getByRole('region', { name: 'Not reproducible' });
  await notice
    .getByRole('listitem')
    .filter({ hasText: /package/ })
    .getByRole('link', { name: 'Compare outputs' })
    .click();
  await page.getByText('12 of 1,824 files and folders differ').waitFor();
  const row = page.getByRole('row').filter({ hasText: './etc/hello.conf' });
  const text = await row.innerText();
  assert.match(text, /permissions/);
  assert.match(text, /rw-r--r--/);
  assert.match(text, /rw-------/);
});

test('the two outputs are exchanged when one is chosen for the other, and the address leads back to that', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { at: `#/lookup?q=${BUILDS.PN}` });
  await page.getByRole('link', { name: 'Compare outputs' }).first().click();
  await page.getByText(/1 only in the second build/).waitFor();
  const [first, second] = [page.getByLabel('First build'), page.getByLabel('Second build')];
  const values = [await first.inputValue(), await second.inputValue()];
  await first.selectOption(values[1]!);
  await page.getByText(/1 only in the first build/).waitFor();
  assert.equal(await second.inputValue(), values[0]);
  await page.reload();
  await page.getByText(/1 only in the first build/).waitFor();
  assert.equal(await first.inputValue(), values[1]);
});
