import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { METHOD, serve, temporaryFolder } from '../e2e/helpers.ts';
import { noBrowser } from '../e2e/needs.ts';
import { freePort } from '../free-port.ts';
import { onStage } from './harness.ts';
import { picture } from './pictures.ts';

/** Where a server to pull from will be: the settings of the other one name it before it is there. */
const SOURCE = `127.0.0.1:${await freePort()}`;
const scene = onStage({ args: ['--page-pull-from', SOURCE] });

describe('jobs on the page', { skip: noBrowser() }, () => {
  test('show their progress, their result and their log', async (t) => {
    const { page } = await scene().visit(t, { as: 'dora', at: '#/jobs' });
    await page.getByRole('link', { name: '1 clean-unused' }).click();
    await page.getByRole('heading', { level: 1, name: 'Job 1' }).waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    assert.match(await page.getByRole('main').innerText(), /max_age_seconds: 86,400/);
    assert.equal(await page.getByRole('button', { name: 'Cancel this job' }).count(), 0);
  });

  test('take from another server after a look that writes nothing', async (t) => {
    const source = await serve(t, { folder: temporaryFolder(t), args: ['--bind', SOURCE] });
    const prs = await source.pr();
    for (const version of ['bash-5.2-r0', 'zlib-1.3-r0'])
      for (const checksum of ['a', 'b'])
        await prs.invoke('get-pr', { version, pkgarch: 'core2-64', checksum, history: false });
    const { page, checkAccess } = await scene().visit(t, { as: 'dora', at: '#/jobs' });
    await page.getByRole('button', { name: 'Pull…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pull from another server' });
    await dialog.getByLabel('Hash equivalence').uncheck();
    await dialog.getByRole('button', { name: 'Show what it would do' }).click();
    await dialog.getByText('Nothing would be pulled').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Pull this now' }).isDisabled());
    await dialog.getByLabel('PR values in conflict').selectOption('keep ours, leave those out');
    await dialog.getByRole('button', { name: 'Show what it would do' }).click();
    const preview = dialog.getByRole('region', { name: 'Preview' });
    await preview.getByText('PR values, new', { exact: true }).waitFor();
    await picture(page, 'pull', 960);
    await checkAccess();
    const here = await scene().server.pr();
    const asked = { version: 'bash-5.2-r0', pkgarch: 'core2-64' };
    assert.equal(((await here.invoke('max-package-pr', asked)) as { value: unknown }).value, null);
    await dialog.getByRole('button', { name: 'Pull this now' }).click();
    await page.getByRole('heading', { level: 1, name: /^Job \d+$/ }).waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    assert.equal(((await here.invoke('max-package-pr', asked)) as { value: unknown }).value, '1');
  });

  test('collect garbage after telling what would go, and never more than that', async (t) => {
    const client = await scene().server.hash();
    const before = (await client.invoke('gc-status', {})) as { keep: number };
    assert.ok(before.keep > 0);
    const { page, checkAccess } = await scene().visit(t, { as: 'dora', at: '#/jobs' });
    await page.getByRole('button', { name: 'Collect garbage…' }).click();
    await page.getByLabel('Mark', { exact: true }).fill('today');
    await page.getByLabel('Value').fill(METHOD);
    await page.getByRole('button', { name: 'Mark what is kept' }).click();
    await page.getByRole('heading', { level: 1, name: /^Job \d+$/ }).waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'All jobs' }).click();
    await page.getByRole('button', { name: 'Collect garbage…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Would keep').waitFor();
    await checkAccess();
    assert.match(await dialog.innerText(), /Would remove\s*0/);
    // Somebody else marks anew: what was shown is not true any more.
    await client.invoke('gc-mark', { mark: 'other', where: { method: METHOD } });
    await dialog.getByRole('button', { name: 'Remove 0 tasks' }).click();
    await page.getByRole('heading', { level: 1, name: /^Job \d+$/ }).waitFor();
    await page.getByText('failed', { exact: true }).waitFor();
    await page.getByText('is not the current mark').first().waitFor();
    assert.deepEqual(((await client.invoke('gc-status', {})) as { keep: number }).keep, before.keep);
  });

  test('are not started by whoever may not', async (t) => {
    const { page } = await scene().visit(t, { as: 'anna', at: '#/jobs' });
    await page.getByRole('alert').filter({ hasText: 'Not allowed' }).waitFor();
    for (const name of ['Collect garbage…', 'Pull…'])
      assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  });
});
