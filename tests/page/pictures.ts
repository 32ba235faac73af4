import fs from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { withPalette } from './palette-png.ts';

/** Where `npm run screenshots` has the pictures of docs/page.md written; null: none are made, as in every other run. */
export const PICTURES: string | null = process.env.BAKESERV_SCREENSHOTS || null;

/** Sharp on a screen of today, and still small. */
export const PICTURE_SCALE = 1.5;

/**
 * Writes what is shown as a picture of the documentation, where these are wanted.
 * @param height of the picture, in pixels of the page; by default that of the window
 */
export async function picture(page: Page, name: string, height?: number): Promise<void> {
  if (PICTURES === null) return;
  const size = page.viewportSize()!;
  if (height !== undefined) await page.setViewportSize({ ...size, height });
  await page.evaluate('document.activeElement?.blur(); scrollTo(0, 0)');
  await settle(page.getByRole('main'));
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  fs.mkdirSync(PICTURES, { recursive: true });
  fs.writeFileSync(path.join(PICTURES, `${name}.png`), withPalette(png));
  if (height !== undefined) await page.setViewportSize(size);
}

/** Plots are drawn again when the window has another size: two frames later they are. */
async function settle(main: Locator): Promise<void> {
  await main.evaluate('new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))');
}
