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

test('a session that ends elsewhere ends that of an open page within a minute', { skip: noBrowser() }, async (t) => {
  const { page, context } = await scene().visit(t, { as: 'anna', at: null });
  await page.clock.install();
  await page.goto('./#/overview');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const elsewhere = new Visitor(scene().origin);
  elsewhere.cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  assert.equal((await elsewhere.ask('DELETE', '/session')).body.user, null);
  // What is open to everybody goes on being answered.
  await page.clock.runFor(60_000);
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  assert.equal(await page.getByText('anna', { exact: true }).count(), 0);
  assert.deepEqual(await context.cookies(), [], 'the cookie is forgotten');
});

/** Who may what, as the page asks for it; everybody else is refused. */
const ASKED: readonly (readonly [method: string, path: string, body: object | undefined, who: readonly string[]])[] = [
  ['GET', '/status', undefined, ['nobody', 'anna', 'dora', 'root']],
  ['GET', '/insights/unstable', undefined, ['nobody', 'anna', 'dora', 'root']],
  ['GET', '/jobs', undefined, ['dora', 'root']],
  ['GET', '/jobs/1?log=true', undefined, ['dora', 'root']],
  ['POST', '/jobs', { kind: 'clean-unused', parameters: { max_age_seconds: 1e9 } }, ['dora', 'root']],
  ['DELETE', '/jobs/1', undefined, ['dora', 'root']],
  ['GET', '/gc', undefined, ['dora', 'root']],
  ['GET', '/users', undefined, ['root']],
  ['POST', '/users', { username: 'x y', permissions: ['@read'] }, ['root']],
  ['PUT', '/users/nobody-of-that-name/permissions', { permissions: ['@read'] }, ['root']],
  ['POST', '/users/nobody-of-that-name/token', undefined, ['root']],
  ['DELETE', '/users/nobody-of-that-name', undefined, ['root']],
];

test('what a visitor may not do is not shown, and refused to whoever asks for it all the same', {
  skip: noBrowser(),
}, async (t) => {
  const { origin, users } = scene();
  for (const who of ['nobody', 'anna', 'dora', 'root']) {
    const visitor = new Visitor(origin);
    if (who !== 'nobody') await visitor.signIn(who, users[who]!);
    for (const [method, path, body, allowed] of ASKED) {
      const { status } = await visitor.ask(method, path, body);
      const refused = status === 401 || status === 403;
      assert.equal(refused, !allowed.includes(who), `${who}: ${method} ${path}: ${status}`);
    }
    const { page } = await scene().visit(t, { as: who === 'nobody' ? null : who, at: '#/overview' });
    await page.getByText('Look-ups a second').waitFor();
    const views = page.getByRole('navigation', { name: 'Views' });
    const isAdmin = who === 'dora' || who === 'root';
    assert.equal(await views.getByRole('link', { name: 'Jobs' }).count(), isAdmin ? 1 : 0, who);
    assert.equal(await views.getByRole('link', { name: 'Users' }).count(), who === 'root' ? 1 : 0, who);
    await page.getByRole('heading', { name: 'Databases' }).waitFor();
    for (const name of ['Listeners', 'Jobs'])
      assert.equal(await page.getByRole('heading', { name }).count(), isAdmin ? 1 : 0, `${who}: ${name}`);
    assert.equal((await page.getByRole('main').innerText()).includes('hashserv.db'), isAdmin, `${who}: files`);
  }
});

test('a server that dies under the page is missed in words, and the page goes on when it is back', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { as: 'root', serverDies: true });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await scene().kill();
  await page.getByText('The server is away').waitFor();
  await scene().restart();
  await page.getByText('The server is away').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
});
