import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { noBrowser } from '../e2e/needs.ts';
import { onStage } from './harness.ts';

const scene = onStage();

test('a page of another site cannot use who is signed in, whatever it tries', { skip: noBrowser() }, async (t) => {
  const { page, context, faults } = await scene().visit(t, { as: 'root' });
  // Another port of the same machine: cookies know hosts, and no ports, so that no browser takes it for another site.
  const neighbour = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>evil'));
  neighbour.listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  t.after(() => {
    neighbour.close();
    // The browser keeps its connection: after a failure nothing would end the process.
    neighbour.closeAllConnections();
  });
  const evil = await context.newPage();
  await evil.goto(`http://127.0.0.1:${(neighbour.address() as AddressInfo).port}/`);
  const attempt = (text: string) =>
    evil.evaluate(`(async () => { try { ${text} } catch (error) { return 'blocked'; } })()`);
  const at = `${scene().origin}/api/v1`;
  const json = "headers: { 'content-type': 'application/json' }";
  const user = JSON.stringify(JSON.stringify({ username: 'evil', permissions: ['@all'] }));
  const tries = [
    `return (await fetch('${at}/users', { credentials: 'include' })).text()`,
    `return (await fetch('${at}/users', { method: 'POST', credentials: 'include', ${json}, body: ${user} })).text()`,
    `return (await fetch('${at}/users', { method: 'POST', mode: 'no-cors', credentials: 'include', body: ${user} })).type`,
    `return (await fetch('${at}/session', { method: 'DELETE', credentials: 'include' })).text()`,
  ];
  const answers: unknown[] = [];
  for (const each of tries) answers.push(await attempt(each));
  assert.deepEqual(answers, ['blocked', 'blocked', 'blocked', 'blocked']);
  const all: string = await page.evaluate("fetch('api/v1/users').then((answer) => answer.text())");
  assert.match(all, /root/);
  assert.doesNotMatch(all, /evil/);
  assert.deepEqual(faults, []);
});

test('a script or a style that gets into the page does nothing, nor does anything of another host', {
  skip: noBrowser(),
}, async (t) => {
  const { page, faults } = await scene().visit(t);
  const added = `
    const script = document.createElement('script');
    script.textContent = 'document.title = "evil"';
    const style = document.createElement('style');
    style.textContent = 'body { display: none }';
    const frame = document.createElement('iframe');
    frame.src = 'api/v1/status';
    document.body.append(script, style, frame);
    document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror="document.title = 1">');
    getComputedStyle(document.body).display + ' ' + document.title`;
  assert.match(await page.evaluate(added), /^block (.* )?bakeserv$/);
  const refused = await page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')");
  assert.equal(refused, 'refused');
  const blocked = faults.filter((fault) => /Content Security Policy/.test(fault));
  assert.ok(blocked.length >= 4, faults.join('\n'));
  // Each of them was meant.
  faults.length = 0;
});

test('another site cannot put the page into a frame', { skip: noBrowser() }, async (t) => {
  const { page, faults, context } = await scene().visit(t, { at: null });
  const around = `<iframe src="${scene().origin}/"></iframe>`;
  const site = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end(around));
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => {
    site.close();
    // The browser keeps its connection: after a failure nothing would end the process.
    site.closeAllConnections();
  });
  const refused = context.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  await refused;
  assert.equal(await page.frames()[1]?.locator('#app').count(), 0);
  faults.length = 0;
});
