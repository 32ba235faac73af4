import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { hash } from '../e2e/helpers.ts';
import { noBrowser } from '../e2e/needs.ts';
import { BUILDS, taskhashOf } from './data.ts';
import { onStage } from './harness.ts';
import { picture } from './pictures.ts';

const [, , ...PACKAGE] = BUILDS.rows;
const COMPARE = `#/compare?method=${BUILDS.method}&taskhash=${taskhashOf('package')}&a=${PACKAGE[0]!.outhash}&b=${PACKAGE[1]!.outhash}`;

interface Shown {
  readonly at: string;
  readonly title: string;
  /** What is there once the data has come. */
  readonly text: string | RegExp;
  /** Pictures of it in the documentation, by the look of the page: their names, and how high they are. */
  readonly pictures?: Readonly<Record<string, readonly [name: string, height: number]>>;
}

/** Every view with data, and what is shown where there is none. */
const VIEWS: readonly Shown[] = [
  {
    at: '#/overview',
    title: 'Overview',
    text: 'Look-ups a second',
    pictures: {
      'wide light': ['overview', 752],
      'wide dark': ['overview-dark', 752],
      'narrow light': ['overview-narrow', 740],
    },
  },
  { at: '#/lookup', title: 'Look up', text: 'Nothing to look for yet' },
  {
    at: '#/lookup?q=hello',
    title: 'Look up',
    text: '2 tasks here are not reproducible',
    pictures: { 'wide light': ['lookup', 700] },
  },
  { at: `#/lookup?q=${hash('busybox 1')}`, title: 'Look up', text: 'Equivalent tasks' },
  { at: '#/lookup?q=no-such-recipe', title: 'Look up', text: 'Nothing is known of it here' },
  {
    at: COMPARE,
    title: 'Compare outputs',
    text: /12 of 1,824 files and folders differ/,
    pictures: { 'wide light': ['compare', 960] },
  },
  { at: '#/packages?q=zlib&limit=1000', title: 'Packages', text: 'zlib-1.3-r0' },
  {
    at: '#/package/zlib-1.3-r0',
    title: 'zlib-1.3-r0',
    text: 'Values over time',
    pictures: { 'wide light': ['package', 700] },
  },
  {
    at: '#/insights/unstable',
    title: 'Insights: Unstable outputs',
    text: 'Compare outputs',
    pictures: { 'wide light': ['insights', 760] },
  },
  { at: '#/insights/equivalences', title: 'Insights: Equivalences', text: 'Where it saves work' },
  { at: '#/insights/shared-state', title: 'Insights: Shared state', text: 'Nothing was compared yet' },
  { at: '#/insights/lookups', title: 'Insights: Look-ups', text: 'Most missed in the last hour' },
  { at: '#/insights/churn', title: 'Insights: PR churn', text: 'Near the limit' },
  { at: '#/insights/age', title: 'Insights: Age', text: 'Reports by month' },
  { at: '#/jobs', title: 'Jobs', text: '1 clean-unused' },
  { at: '#/job/1', title: 'Job 1', text: 'Asked for by' },
  { at: '#/users', title: 'Users', text: 'dora', pictures: { 'wide light': ['users', 480] } },
  { at: '#/sign-in', title: 'Sign in', text: 'Token' },
  { at: '#/nowhere', title: 'There is nothing here', text: 'No view has this address' },
];

/** Waits until a view shows what it was asked for. */
async function untilShown(page: Page, { title, text }: Shown): Promise<void> {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  await page.getByText(text).first().waitFor();
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
}

const scene = onStage({ hasPast: true });

test('every view has nothing that WCAG forbids, and nothing wider than the window, on a desk and a telephone, light and dark', {
  skip: noBrowser(),
}, async (t) => {
  const { page, everyLook, checkAccess } = await scene().visit(t, { as: 'root' });
  for (const view of VIEWS) {
    await page.goto(`./${view.at}`);
    await untilShown(page, view);
    await everyLook(async (look) => {
      const shown = view.pictures?.[look];
      if (shown) await picture(page, ...shown);
      const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(wider, 0, `${view.at} ${look}`);
      await checkAccess().catch((error) => assert.fail(`${view.at} ${look}: ${error.message}`));
    });
  }
});

test('a plot has the same figures as a table, and says them in words', { skip: noBrowser() }, async (t) => {
  const { page } = await scene().visit(t, { as: 'root', at: '#/overview' });
  const plot = page.getByRole('img', { name: /^Open connections/ });
  assert.match((await plot.getAttribute('aria-label'))!, /connections: last \d+, lowest \d+, highest \d+/);
  const figure = page.getByRole('figure').filter({ has: plot });
  await figure.getByText('As a table').click();
  const table = figure.getByRole('region', { name: 'Open connections, as a table' });
  assert.equal(await table.getByRole('row').count(), 61);
});

test('colours are those of the system until the reader chooses, and then those chosen, also when the page is opened again', {
  skip: noBrowser(),
}, async (t) => {
  const { page } = await scene().visit(t, { theme: 'dark' });
  const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  await page.getByLabel('Colours').waitFor();
  const dark = await ground();
  await page.getByLabel('Colours').selectOption('Light');
  await page.waitForFunction(`getComputedStyle(document.documentElement).backgroundColor !== '${dark}'`);
  const light = await ground();
  await page.reload();
  await page.getByLabel('Colours').waitFor();
  assert.equal(await ground(), light);
});

test('a page that nobody looks at asks nothing', { skip: noBrowser() }, async (t) => {
  const { page } = await scene().visit(t, { as: 'root', at: null });
  await page.clock.install();
  await page.addInitScript(
    "window.isHidden = false; Object.defineProperty(document, 'hidden', { get: () => window.isHidden })",
  );
  await page.goto('./#/overview');
  await page.getByText('Look-ups a second').waitFor();
  await page.locator('main .loading').first().waitFor({ state: 'detached' });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.evaluate('window.isHidden = true');
  await page.clock.runFor(60_000);
  assert.deepEqual(asked, []);
  const next = page.waitForRequest(/api\/v1\/status/);
  await page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))");
  await next;
});
