import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hash, METHOD } from '../e2e/helpers.ts';
import { noBrowser } from '../e2e/needs.ts';
import { HOSTILE } from './data.ts';
import { onStage } from './harness.ts';

const scene = onStage();
const LONG = 'x'.repeat(900);

/** Two builds of a task; what the harness looks for in every test is a script that ran, or another host that was asked. */
async function twoBuilds(name: string, texts: readonly [string, string]): Promise<string> {
  const client = await scene().server.hash();
  const taskhash = hash(`two builds of ${name}`);
  for (const [i, outhash_siginfo] of texts.entries()) {
    const row = { method: METHOD, taskhash, outhash: hash(`${name} ${i}`), unihash: taskhash };
    await client.invoke('report', { ...row, PN: name, task: name, owner: name, outhash_siginfo });
  }
  return taskhash;
}

describe('data of somebody who means no good', { skip: noBrowser() }, () => {
  test('is looked up, listed and shown as text, with what cannot be seen made visible', async (t) => {
    const { page } = await scene().visit(t, { as: 'root' });
    for (const [kind, name] of Object.entries(HOSTILE)) {
      await page.goto(`./#/lookup?q=${encodeURIComponent(name)}`);
      await page.getByText('is known as a recipe').waitFor();
      const row = await page.getByRole('row').last().innerText();
      const visible = { script: name, image: name, bidi: '\\u{202e}gnp.exe', control: '\\u{7} escape\\u{1b}[31m' }[
        kind
      ]!;
      assert.ok(row.includes(visible), `${kind}: ${row}`);
      assert.doesNotMatch(row, /\u202e|(?!\s)\p{Cc}/u);
    }
    assert.equal(await page.locator('main img, main script').count(), 0);
  });

  test('is no way out of an address: a link of it leads back to it', async (t) => {
    const { page } = await scene().visit(t, { at: '#/insights/equivalences' });
    for (const name of ['#/users', 'javascript:alert(1)', '../../api/v1/status', '%2F..%2F']) {
      await page.goto(`./#/lookup?q=${encodeURIComponent(name)}`);
      await page.getByText('Nothing is known of it here').waitFor();
      assert.equal(await page.getByLabel('Hash or recipe').inputValue(), name);
    }
  });

  test('that is very long is cut, and widens nothing', async (t) => {
    const taskhash = await twoBuilds(LONG, [`${LONG}\na`, `${LONG}\nb`]);
    const { page, everyLook } = await scene().visit(t, { at: `#/lookup?q=${taskhash}` });
    await page.getByRole('button', { name: '740 more characters' }).first().waitFor();
    await everyLook(async (look) => {
      const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(wider, 0, look);
    });
  });

  test('is compared line by line, as text', async (t) => {
    const taskhash = await twoBuilds(HOSTILE.script, [`same\n${HOSTILE.image}`, `same\n${HOSTILE.bidi}`]);
    const { page } = await scene().visit(t, { at: `#/compare?taskhash=${taskhash}` });
    await page.getByText('1 line only in the first, 1 line only in the second').waitFor();
    const text = await page.getByRole('main').innerText();
    assert.ok(text.includes(HOSTILE.image), text);
    assert.ok(text.includes('\\u{202e}gnp.exe'), text);
  });

  test('of 16 MiB is compared, and the page stays awake', async (t) => {
    const line = (path: string, sum: string) => `-rw-  17 ${sum.repeat(64)} ./${path}\n`;
    const many = (sum: string) =>
      Array.from({ length: 170_000 }, (_, i) => line(`usr/share/${String(i).padStart(8, '0')}`, sum)).join('');
    const [first, second] = [many('a'), many('b')];
    assert.ok(first.length > 15 * 1024 * 1024);
    const taskhash = await twoBuilds('large', [first, second]);
    const { page } = await scene().visit(t, { at: `#/compare?taskhash=${taskhash}` });
    await page.getByText(/More than 1,000 of [\d,]+ files and folders differ/).waitFor();
    await page.getByRole('button', { name: /more files$/ }).click();
    assert.equal(await page.getByRole('row').count(), 1001);
  });
});
