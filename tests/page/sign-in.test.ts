import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser } from '../e2e/needs.ts';
import { Visitor } from '../wire/page-helpers.ts';
import { onStage } from './harness.ts';

const scene = onStage();

test('the way in can be read and used by everybody, on a desk and a telephone, light and dark', {
  skip: noBrowser(),
}, async (t) => {
  const { page, everyLook, checkAccess } = await scene().visit(t, { at: '#/sign-in' });
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await everyLook(async (name) => {
    await checkAccess();
    const width: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.ok(width <= 0, `${name}: ${width} pixels too wide`);
  });
});

test('who signs in is greeted by name, sees what is theirs, and nothing of it after signing out', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('User').fill('root');
  await page.getByLabel('Token').fill('no');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('User and token do not match.').waitFor();
  await page.getByLabel('Token').fill('secret');
  // By the keyboard alone.
  await page.getByLabel('Token').press('Enter');
  await page.getByRole('strong').getByText('root', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const users = page.getByRole('link', { name: 'Users' });
  await users.waitFor();
  assert.deepEqual(await page.evaluate('document.cookie'), '', 'no script can read it');
  await page.reload();
  await users.waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  assert.equal(await users.count(), 0);
});

test('a session that ends elsewhere ends the page’s too, at the next look', { skip: noBrowser() }, async (t) => {
  const { page, context } = await scene().visit(t, { as: 'anna' });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const elsewhere = new Visitor(scene().origin);
  elsewhere.cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  assert.equal((await elsewhere.ask('DELETE', '/session')).body.user, null);
  await page.reload();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  assert.equal(await page.getByText('anna', { exact: true }).count(), 0);
  assert.deepEqual(await context.cookies(), [], 'the cookie is forgotten');
});

test('what a visitor may not do is not shown', { skip: noBrowser() }, async (t) => {
  const seen: Record<string, string[]> = {};
  for (const as of ['anna', 'dora', 'root']) {
    const { page } = await scene().visit(t, { as });
    await page.getByRole('link', { name: 'Overview' }).waitFor();
    seen[as] = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts();
  }
  assert.ok(!seen.anna!.includes('Jobs') && !seen.anna!.includes('Users'));
  assert.ok(seen.dora!.includes('Jobs') && !seen.dora!.includes('Users'));
  assert.ok(seen.root!.includes('Jobs') && seen.root!.includes('Users'));
});

test('a server that dies under the page is missed in words, and the page goes on when it is back', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { as: 'root' });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await scene().kill();
  await page.getByText('The server is away').waitFor();
  await scene().restart();
  await page.getByText('The server is away').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
});
