import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash, METHOD } from '../e2e/helpers.ts';
import { noBrowser } from '../e2e/needs.ts';
import { freePort } from '../free-port.ts';
import { onStage } from './harness.ts';

/** Where nobody listens. */
const AWAY = `127.0.0.1:${await freePort()}`;
const scene = onStage({
  isEmpty: true,
  args: [
    '--bind',
    'http://127.0.0.1:0,anon-perms=@none',
    '--mirror',
    `${AWAY},every=1h,hashes`,
    '--hashserv-upstream',
    AWAY,
    '--upstream-connect-timeout',
    '1',
  ],
});

/** What a view says where there is nothing, and what it says where it is not answered at all. */
const EMPTY: readonly (readonly [at: string, text: string])[] = [
  ['#/lookup?q=busybox', 'Nothing is known of it here'],
  [`#/compare?taskhash=${hash('none')}`, 'Nothing found'],
  ['#/packages?q=busybox', 'No package has that in its name'],
  ['#/package/busybox-1.36-r0', 'Nothing found'],
  ['#/insights/unstable', 'Every task put out the same each time'],
  ['#/insights/equivalences', 'Nothing was found to be equal yet'],
  ['#/insights/lookups', 'Nothing was missed'],
  ['#/insights/churn', 'There are no PR values yet'],
  ['#/insights/shared-state', 'The server is told of no shared state'],
  ['#/insights/age', 'Nothing was reported yet'],
  ['#/jobs?service=prserv', 'Not allowed'],
  ['#/job/999', 'Nothing found'],
];

test('a server that nobody has used yet says so in each view, and what would change that', {
  skip: noBrowser(),
}, async (t) => {
  const { page, checkAccess } = await scene().visit(t, { as: 'root', size: 'narrow' });
  for (const [at, text] of EMPTY) {
    await page.goto(`./${at}`);
    await page.getByText(text).first().waitFor();
    await page.locator('main .loading').first().waitFor({ state: 'detached' });
    const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(wider, 0, at);
    await checkAccess().catch((error) => assert.fail(`${at}: ${error.message}`));
  }
});

test('a view that is not answered says why, and shows what there is when it is asked again', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { as: 'root', at: '#/overview' });
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const problems = [
    [408, 'request-timeout', 'The server took too long'],
    [503, 'busy', 'The server is busy'],
    [503, 'storage', 'Something went wrong in the server'],
  ] as const;
  const fails = { at: 0, on: true };
  await page.route(/\/api\/v1\/(?!session)/, (route) => {
    const [status, type] = problems[fails.at % problems.length]!;
    if (!fails.on) return void route.continue();
    const body = JSON.stringify({ type: `urn:bakeserv:problem:${type}`, status, title: type, detail: 'As told.' });
    void route.fulfill({ status, contentType: 'application/problem+json', body });
  });
  for (const [at, text] of [['#/overview', 'Open connections'], ['#/users', 'root'], ...EMPTY] as const) {
    fails.at++;
    fails.on = true;
    await page.goto('./#/nowhere');
    await page.getByText('No view has this address').waitFor();
    await page.goto(`./${at}`);
    const alert = page.getByRole('alert').filter({ hasText: problems[fails.at % problems.length]![2] });
    await alert.filter({ hasText: 'As told.' }).first().waitFor();
    fails.on = false;
    // All at once: what asks by itself may have its answer before it is clicked.
    await page.evaluate("document.querySelectorAll('[role=alert] button').forEach((each) => each.click())");
    await page.getByRole('main').getByText(text).first().waitFor();
    await alert.first().waitFor({ state: 'detached' });
  }
});

test('what wants somebody stands first, and mirrors and upstreams with how they are', {
  skip: noBrowser(),
}, async (t) => {
  // Whether the upstream is there is known once it was asked for something.
  const client = await scene().server.hash();
  assert.equal(await client.invoke('get', { method: METHOD, taskhash: hash('asked above') }), null);
  const { page, everyLook, checkAccess } = await scene().visit(t, { as: 'root', at: '#/overview' });
  const mirrors = page.getByRole('table', { name: 'Servers that this one is a mirror of' });
  const row = mirrors.getByRole('row').filter({ hasText: AWAY });
  await row.getByText('away', { exact: true }).waitFor();
  assert.match(await row.innerText(), /nobody is listening.*not yet/s);
  await page.getByRole('region', { name: 'Upstream and mirrors' }).getByText('unreachable').waitFor();
  const wanted = page.getByRole('region', { name: 'Wants attention' }).getByRole('listitem');
  await wanted.filter({ hasText: /Job \d+ \(mirror\) has failed/ }).waitFor();
  await wanted
    .filter({ hasText: /upstream of .* does not answer/ })
    .filter({ hasText: AWAY })
    .waitFor();
  await everyLook(checkAccess);
  const { page: others } = await scene().visit(t, { at: '#/overview' });
  await others.getByText('Open connections').waitFor();
  await others
    .getByRole('region', { name: 'Wants attention' })
    .getByText(/upstream/)
    .waitFor();
  assert.ok(!(await others.getByRole('main').innerText()).includes(AWAY), 'addresses are not for everybody');
});

test('where nobody may look without signing in, the page says so, shows what is open all the same, and asks for nothing else', {
  skip: noBrowser(),
}, async (t) => {
  const { page, faults } = await scene().visit(t, { at: null });
  const closed = scene().server.addresses[2]!;
  assert.ok(closed.kind === 'http');
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api')) asked.push(pathname);
  });
  await page.goto(`http://127.0.0.1:${closed.port}/`);
  await page.getByText('How the server is, is told to its users').waitFor();
  assert.deepEqual(await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts(), [
    'Packages',
    'Insights',
  ]);
  assert.deepEqual(asked, ['/api/v1/session']);
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Token').waitFor();
  // It is another address than the harness knows.
  assert.deepEqual(
    faults.filter((fault) => !fault.includes(`127.0.0.1:${closed.port}/`)),
    [],
  );
  faults.length = 0;
});
