import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { hash, METHOD, serve, temporaryFolder } from '../e2e/helpers.ts';
import { noBrowser } from '../e2e/needs.ts';
import { openOther } from '../e2e/sqlite.ts';
import { freePort } from '../free-port.ts';
import { onStage } from './harness.ts';
import { picture } from './pictures.ts';

/** Where a server to pull from will be: the settings of the other one name it before it is there. */
const SOURCE = `127.0.0.1:${await freePort()}`;
/** Where somebody takes connections, and never says a word. */
const SILENT = `127.0.0.1:${await freePort()}`;
const scene = onStage({
  args: ['--page-pull-from', SOURCE, '--page-pull-from', SILENT, '--sstate-dir', 'sstate'],
});

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

  test('are stopped by a button while they run', async (t) => {
    const silent = net.createServer((socket) => socket.on('error', () => {}));
    const taken = once(silent, 'connection') as Promise<[net.Socket]>;
    silent.listen(Number(SILENT.split(':')[1]), '127.0.0.1');
    t.after(async () => {
      (await taken)[0].destroy();
      silent.close();
    });
    const { page, context } = await scene().visit(t, { as: 'dora', at: null });
    const started = await context.request.post('api/v1/jobs', {
      data: { kind: 'pull', parameters: { source: SILENT, hashes: false, prs: true, dry_run: true } },
      headers: { origin: scene().origin },
    });
    const { id } = await started.json();
    await taken;
    await page.goto(`./#/job/${id}`);
    await page.getByText('running', { exact: true }).waitFor();
    const cancel = page.getByRole('button', { name: 'Cancel this job' });
    await cancel.click();
    const state = page.getByText(/^(cancelled|failed|done)$/);
    await state.waitFor().catch(async () => assert.fail(await page.getByRole('main').innerText()));
    assert.equal(await state.innerText(), 'cancelled', await page.getByRole('main').innerText());
    assert.equal(await cancel.count(), 0);
    const job = await (await context.request.get(`api/v1/jobs/${id}`)).json();
    assert.equal(job.state, 'cancelled');
  });

  test('compare with the shared state, and what was found last stands with the insights', async (t) => {
    const { folder } = scene();
    const objects = path.join(folder, 'sstate/ab/cd');
    fs.mkdirSync(objects, { recursive: true });
    const orphan = path.join(objects, `sstate:mc:core2-64-poky-linux:4.8:r0:core2-64:12:${hash('x')}_package.tar.zst`);
    fs.writeFileSync(orphan, 'object');
    fs.utimesSync(orphan, 1e9, 1e9);
    // What is younger than a day may still be on its way.
    const database = await openOther(t, path.join(folder, 'hashserv.db'));
    await database.exec("UPDATE outhashes_v2 SET created = '2026-01-02T03:04:05+00:00' WHERE PN = 'systemd'");
    await database.close();
    const { page, everyLook, checkAccess } = await scene().visit(t, { as: 'dora', at: '#/insights/shared-state' });
    await page.getByText('Nothing was compared yet').waitFor();
    await page.getByRole('button', { name: 'Compare now' }).click();
    await page.getByRole('heading', { level: 1, name: /^Job \d+$/ }).waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    const { page: reader } = await scene().visit(t, { as: 'anna' });
    for (const each of [page, reader]) {
      await each.goto('./#/insights/shared-state');
      const table = each.getByRole('table', { name: 'What is missing, by recipe and task' });
      await table.waitFor();
      const row = (name: string) => table.getByRole('row').filter({ hasText: name }).getByRole('cell').allInnerTexts();
      const [task, unihashes, missing, since, oldest] = await row('systemd');
      assert.deepEqual([task, unihashes, missing], ['package', '1', '1']);
      assert.match(since!, /^\d+ \w+ \d{4}, \d\d:\d\d$/);
      assert.equal(oldest, '2 Jan 2026, 04:04');
      assert.deepEqual((await row('mc')).slice(5), ['1', '6 B']);
      await each.getByText(/^Compared .*(now|ago)/).waitFor();
    }
    assert.equal(await page.getByRole('button', { name: 'Compare now' }).count(), 1);
    assert.equal(await reader.getByRole('button', { name: 'Compare now' }).count(), 0);
    await everyLook(checkAccess);
  });

  test('are not started by whoever may not', async (t) => {
    const { page } = await scene().visit(t, { as: 'anna', at: '#/jobs' });
    await page.getByRole('alert').filter({ hasText: 'Not allowed' }).waitFor();
    for (const name of ['Collect garbage…', 'Pull…'])
      assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  });
});
