/**
 * The page as people have it: one server process with data, and one browser, for all tests of a file.
 *
 *     const scene = onStage();
 *     test('…', { skip: noBrowser() }, async (t) => {
 *       const { page } = await scene().visit(t, { as: 'root', size: 'narrow', theme: 'dark', at: '#/jobs' });
 *     });
 *
 * When a test is over, each of its visits must have left no error in the console, broken no policy, and asked no other
 * host for anything.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Context, type ServerProcess, serve, temporaryFolder } from '../e2e/helpers.ts';
import { CHROMIUM, noBrowser } from '../e2e/needs.ts';
import { build, fill, type Users } from './data.ts';
import { givePast, giveTimes } from './past.ts';
import { PICTURE_SCALE, PICTURES } from './pictures.ts';

/** How large the window is: a desk, and a small telephone. */
export const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } } as const;
export const THEMES = ['light', 'dark'] as const;
export type Size = keyof typeof SIZES;
export type Theme = (typeof THEMES)[number];

/** The machine has others to serve too. */
const WITHIN_MS = 30_000;

export interface VisitOptions {
  readonly size?: Size;
  readonly theme?: Theme;
  /** Who is signed in; by default nobody. */
  readonly as?: string | null;
  /** What is opened: `#/jobs`; null: nothing yet. */
  readonly at?: string | null;
  /** The test kills the server meanwhile. */
  readonly serverDies?: boolean;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong so far, a line each: may be emptied by a test that expects it. */
  readonly faults: string[];
  /** Does something in both sizes and both themes, on the page as it stands: cheaper than four visits. */
  everyLook(look: (name: string) => Promise<void>): Promise<void>;
  /** Runs axe-core on what is shown: there must be nothing that WCAG 2.2 AA forbids. */
  checkAccess(): Promise<void>;
}

export interface Scene {
  readonly server: ServerProcess;
  /** Where the page is; what is open without a login there is `@read`. */
  readonly origin: string;
  readonly users: Users;
  /** Where its databases are, and where it runs. */
  readonly folder: string;
  visit(t: Context, options?: VisitOptions): Promise<Visit>;
  /** Ends the server as a power cut does. */
  kill(): Promise<void>;
  /** Starts it again, at the same address. */
  restart(): Promise<void>;
}

/** What a scene may be told. */
export interface StageOptions {
  /** More arguments of `bakeserv serve`. */
  readonly args?: readonly string[];
  /** Nobody has used the server yet; there is `root` alone. */
  readonly isEmpty?: boolean;
  /** The server has figures of the days before. */
  readonly hasPast?: boolean;
}

/** Sets a scene for all tests of a file, and clears it away after the last. */
export function onStage(options: StageOptions = {}): () => Scene {
  const cleanUps: (() => void | Promise<void>)[] = [];
  const suite: Context = { after: (fn) => void cleanUps.unshift(fn) };
  let scene: Scene | null = null;
  before(async () => {
    if (noBrowser()) return;
    scene = await setStage(suite, options);
  });
  after(async () => {
    for (const each of cleanUps) await each();
  });
  return () => scene!;
}

async function setStage(suite: Context, { args = [], isEmpty = false, hasPast = false }: StageOptions): Promise<Scene> {
  const folder = temporaryFolder(suite);
  const starting = start(suite, folder, 0, args);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // In a container everything is root's, and shared memory is small.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
  suite.after(() => browser.close());
  let server = await starting;
  const address = server.addresses[1]!;
  assert.ok(address.kind === 'http');
  const { port } = address;
  const origin = `http://127.0.0.1:${port}`;
  const users = isEmpty ? { root: 'secret' } : await fill(server, origin);
  if (hasPast) {
    await server.stop();
    await givePast(path.join(folder, 'bakeserv-figures'));
    await giveTimes(path.join(folder, 'prserv.db'), 'zlib-1.3-r0');
    server = await start(suite, folder, port, args);
    await build(server);
  }
  return {
    get server() {
      return server;
    },
    origin,
    users,
    folder,
    visit: (t, options) => visit(t, browser, { origin, users }, options),
    async kill() {
      await server.stop('SIGKILL');
    },
    async restart() {
      server = await start(suite, folder, port, args);
    },
  };
}

function start(suite: Context, folder: string, port: number, args: readonly string[]): Promise<ServerProcess> {
  const page = `http://127.0.0.1:${port},anon-perms=@read`;
  const own = ['--bind', page, '--admin-user', 'root', '--admin-password', 'secret', '--sync-mode', 'on_shutdown'];
  return serve(suite, { folder, args: [...own, '--login-failure-delay', '0.01', ...args] });
}

async function visit(
  t: Context,
  browser: Browser,
  { origin, users }: Pick<Scene, 'origin' | 'users'>,
  { size = 'wide', theme = 'light', as = null, at = '', serverDies = false }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: `${origin}/`,
    viewport: SIZES[size],
    deviceScaleFactor: PICTURES === null ? 1 : PICTURE_SCALE,
    colorScheme: theme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  context.setDefaultTimeout(WITHIN_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  watch(page, origin, faults, serverDies);
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, [], 'what the browser complains of');
  });
  if (as !== null) {
    // As the page does it; the cookie is the browser's from then on.
    const answer = await context.request.post('api/v1/session', {
      data: { username: as, token: users[as]! },
      headers: { origin },
    });
    assert.equal(answer.status(), 200, await answer.text());
  }
  if (at !== null) await page.goto(`./${at}`);
  return {
    page,
    context,
    faults,
    checkAccess: () => checkAccess(page),
    async everyLook(look) {
      for (const [name, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of THEMES) {
          await page.emulateMedia({ colorScheme });
          await look(`${name} ${colorScheme}`);
        }
      }
    },
  };
}

/** Whatever a page must not do. The answers that are no success are the business of the page, which shows them. */
function watch(page: Page, origin: string, faults: string[], serverDies: boolean): void {
  page.on('console', (message) => {
    const isAnswer = /Failed to load resource: (the server responded|net::ERR_(CONNECTION|EMPTY))/.test(message.text());
    // What Chromium says of a connection that ends before it has sent a request on it.
    const isEnd = serverDies && message.text() === 'Failed to load resource: net::ERR_SOCKET_NOT_CONNECTED';
    if (message.type() === 'error' && !isAnswer && !isEnd) faults.push(`console: ${message.text()}`);
    if (message.type() === 'warning' && /Content.Security.Policy/i.test(message.text())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:') && !url.startsWith('blob:'))
      faults.push(`request to another host: ${url}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function checkAccess(page: Page): Promise<void> {
  // Through the debugger, which no policy of the page stands in the way of.
  await page.evaluate(AXE);
  const run = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) => violations)`;
  const findings: readonly Finding[] = await page.evaluate(run);
  const told = findings.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html.slice(0, 200)}\n  ${failureSummary}`).join('\n')}`,
  );
  assert.deepEqual(told, []);
}
