import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser } from '../e2e/needs.ts';
import { onStage } from './harness.ts';

const scene = onStage();

const views = (page: Page) => page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts();

describe('who looks at the page', { skip: noBrowser() }, () => {
  test('is told what is missing where a link leads to more', async (t) => {
    const { page } = await scene().visit(t, { as: 'anna', at: '#/users' });
    await page.getByRole('alert').filter({ hasText: 'Not allowed' }).waitFor();
    const { page: other } = await scene().visit(t, { at: '#/users' });
    await other.getByRole('alert').filter({ hasText: 'Signing in is needed' }).getByRole('link').click();
    await other.getByLabel('Token').waitFor();
  });

  test('is nobody any more when the token is replaced, and the page shows that', async (t) => {
    const { page, context } = await scene().visit(t, { as: 'dora', at: '#/jobs' });
    await page.getByRole('link', { name: 'Jobs' }).waitFor();
    const { origin } = scene();
    const root = await scene().visit(t, { as: 'root' });
    const token = await root.context.request.post('api/v1/users/dora/token', { headers: { origin } });
    assert.equal(token.status(), 200);
    await page.getByRole('link', { name: 'Sign in' }).first().waitFor();
    assert.ok(!(await views(page)).includes('Jobs'));
    assert.equal((await context.request.get('api/v1/jobs')).status(), 401);
  });
});

describe('users', { skip: noBrowser() }, () => {
  test('are made with rights, and their token is shown once', async (t) => {
    const { page, context, checkAccess } = await scene().visit(t, { as: 'root', at: '#/users' });
    await page.getByRole('button', { name: 'New user…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New user' });
    await dialog.getByLabel('Name').fill('ci-1');
    await dialog.getByLabel('@report').uncheck();
    await checkAccess();
    await dialog.getByRole('button', { name: 'Make the user' }).click();
    const shown = page.getByRole('dialog', { name: 'Token of ci-1' });
    const token = await shown.getByLabel('Token of ci-1').inputValue();
    assert.match(token, /^\S{20,}$/);
    await shown.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('row').filter({ hasText: 'ci-1' }).waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(token));
    const answer = await context.request.get('api/v1/user', {
      headers: { authorization: `Basic ${Buffer.from(`ci-1:${token}`).toString('base64')}` },
    });
    assert.deepEqual((await answer.json()).permissions, ['@read']);
  });

  test('get other rights, another token, and are deleted after a question', async (t) => {
    const { page, context } = await scene().visit(t, { as: 'root', at: '#/users' });
    const { origin } = scene();
    const made = await context.request.post('api/v1/users', {
      data: { username: 'ci-2', permissions: ['@read'] },
      headers: { origin },
    });
    assert.equal(made.status(), 201);
    await page.reload();
    const row = page.getByRole('row').filter({ hasText: 'ci-2' });
    await row.getByRole('button', { name: 'Rights of ci-2' }).click();
    await page.getByRole('dialog').getByLabel('@db-admin').check();
    await page.getByRole('button', { name: 'Give these rights' }).click();
    await row.filter({ hasText: '@db-admin' }).waitFor();
    await row.getByRole('button', { name: 'New token of ci-2' }).click();
    await page.getByRole('button', { name: 'Replace the token' }).click();
    const token = await page.getByRole('textbox', { name: 'Token of ci-2' }).inputValue();
    assert.notEqual(token, (await made.json()).token);
    await page.getByRole('button', { name: 'I have it' }).click();
    await row.getByRole('button', { name: 'Delete ci-2' }).click();
    // Enter, as soon as it is asked, must not delete anybody. (Before that it would only ask again.)
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await row.getByRole('button', { name: 'Delete ci-2' }).click();
    await page.getByRole('button', { name: 'Delete the user' }).click();
    await row.waitFor({ state: 'detached' });
  });

  test('who replace their own token see it until they have it, and are then nobody', async (t) => {
    const { origin } = scene();
    const root = await scene().visit(t, { as: 'root', at: null });
    const data = { username: 'ursa', permissions: ['@read', '@user-admin'] };
    const made = await root.context.request.post('api/v1/users', { data, headers: { origin } });
    const { token } = await made.json();
    const { page, context } = await scene().visit(t, { at: null });
    await context.request.post('api/v1/session', { data: { username: 'ursa', token }, headers: { origin } });
    await page.clock.install();
    await page.goto('./#/users');
    await page.getByRole('button', { name: 'New token of ursa' }).click();
    await page.getByRole('button', { name: 'Replace the token' }).click();
    const shown = page.getByRole('textbox', { name: 'Token of ursa' });
    const next = await shown.inputValue();
    // The session is over: whoever looks after it in the meantime must not take the only sight of the token away.
    await page.clock.runFor(150_000);
    assert.equal(await shown.inputValue(), next);
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('alert').filter({ hasText: 'Signing in is needed' }).waitFor();
    await context.request.post('api/v1/session', { data: { username: 'ursa', token: next }, headers: { origin } });
    assert.equal((await (await context.request.get('api/v1/session')).json()).user, 'ursa');
  });

  test('whose name is taken are refused in words, and the dialog stays', async (t) => {
    const { page } = await scene().visit(t, { as: 'root', at: '#/users' });
    await page.getByRole('button', { name: 'New user…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('anna');
    await dialog.getByRole('button', { name: 'Make the user' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'That is there already' }).waitFor();
  });
});

describe('with the keyboard alone', { skip: noBrowser() }, () => {
  const focused = (page: Page) =>
    page.evaluate(
      '(document.activeElement.innerText || document.activeElement.value || document.activeElement.tagName).trim()',
    );

  test('the first stop skips to the content, then come the views, and none is a trap', async (t) => {
    const { page } = await scene().visit(t, { as: 'root', at: '#/users' });
    await page.getByRole('row').filter({ hasText: 'dora' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'New user…');
    await page.reload();
    await page.getByRole('row').filter({ hasText: 'dora' }).waitFor();
    const stops: string[] = [];
    for (let i = 0; i < 60 && stops.at(-1) !== 'out of the page'; i++) {
      await page.keyboard.press('Tab');
      const isOut = await page.evaluate('document.activeElement === document.body');
      stops.push(isOut ? 'out of the page' : String(await focused(page)));
    }
    assert.deepEqual(stops.slice(0, 3), ['Skip to the content', 'bakeserv', 'Overview']);
    for (const stop of ['Users', 'Sign out', 'New user…', 'Rights…', 'Delete…']) assert.ok(stops.includes(stop), stop);
    assert.equal(stops.at(-1), 'out of the page');
  });

  test('every stop can be seen', async (t) => {
    const { page } = await scene().visit(t, { as: 'root', at: '#/users' });
    await page.getByRole('row').filter({ hasText: 'dora' }).waitFor();
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate(
        "document.activeElement === document.body ? 'body' : getComputedStyle(document.activeElement).outlineStyle",
      );
      assert.match(String(outline), /solid|auto|body/, String(await focused(page)));
    }
  });

  test('a dialog begins at its first field, keeps the focus inside, and Escape gives it back', async (t) => {
    const { page } = await scene().visit(t, { as: 'root', at: '#/users' });
    const button = page.getByRole('button', { name: 'New user…' });
    await button.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'New user' });
    await dialog.waitFor();
    assert.equal(await page.evaluate('document.activeElement.labels[0].innerText'), 'Name');
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      assert.ok(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
        ),
      );
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'New user…');
  });

  test('a link of the page leads to the heading of its view', async (t) => {
    const { page } = await scene().visit(t, { as: 'root', at: '#/overview' });
    await page.getByRole('link', { name: 'Users' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    assert.equal(await focused(page), 'Users');
    assert.equal(await page.title(), 'Users – bakeserv');
  });
});
