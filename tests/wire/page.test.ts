import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type PageFiles, readPage } from '../../lib/http/page/files.ts';
import { createPage, takesGzip } from '../../lib/http/page/page.ts';
import { temporaryFolder } from './helpers.ts';
import { httpServer, rawRequest } from './http-helpers.ts';
import { Visitor } from './page-helpers.ts';

const BUILT = fileURLToPath(new URL('../../dist/web/', import.meta.url));
const INDEX = fs.readFileSync(path.join(BUILT, 'index.html'), 'utf8');
const SCRIPT = /src="\.\/(assets\/[\w.-]+\.js)"/.exec(INDEX)![1]!;

const GET = (path: string, ...headers: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: localhost', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;

describe('the page', () => {
  test('is there on an HTTP listener, with a policy that lets it load from this server and run nothing else', async (t) => {
    const server = await httpServer(t, { flags: { 'anon-perms': '@none' } });
    const { status, headers, body } = (await rawRequest(server, GET('/')))!;
    assert.equal(status, 200);
    assert.equal(body, INDEX);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    const policy = headers['content-security-policy']!;
    assert.deepEqual(policy.split('; ').sort(), [
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.match(headers['permissions-policy']!, /camera=\(\)/);
  });

  test('has no script and no style within it, and names nothing of another host', () => {
    assert.doesNotMatch(INDEX, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i);
    for (const [, target] of INDEX.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(target!, /^(\.\/|data:,$)/);
  });

  test('is kept by browsers for good where names change with what is in them, and asked for again otherwise', async (t) => {
    const server = await httpServer(t);
    const index = (await rawRequest(server, GET('/')))!;
    assert.equal(index.headers['cache-control'], 'no-cache');
    const script = (await rawRequest(server, GET(`/${SCRIPT}`)))!;
    assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    for (const tag of [index.headers.etag!, `W/${index.headers.etag}`, '*', `"other", ${index.headers.etag}`]) {
      const again = (await rawRequest(server, GET('/', `If-None-Match: ${tag}`)))!;
      assert.equal(again.status, 304, tag);
      assert.equal(again.body, '');
      assert.equal(again.headers.etag, index.headers.etag);
    }
    assert.equal((await rawRequest(server, GET('/', 'If-None-Match: "other"')))!.status, 200);
  });

  test('is compressed for those who take that, under another tag', async (t) => {
    const { url } = await httpServer(t);
    const plain = await fetch(`${url}/${SCRIPT}`, { headers: { 'accept-encoding': 'identity' } });
    const packed = await fetch(`${url}/${SCRIPT}`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.notEqual(plain.headers.get('etag'), packed.headers.get('etag'));
    assert.equal(packed.headers.get('vary'), 'accept-encoding');
    assert.ok(Number(packed.headers.get('content-length')) < Number(plain.headers.get('content-length')));
    assert.equal(await packed.text(), await plain.text());
    assert.deepEqual(
      ['gzip', 'br, gzip;q=0.1', '*', 'GZIP', undefined, '', 'br', 'gzip;q=0', '*;q=0', 'gzip;q=0, *'].map(takesGzip),
      [true, true, true, true, false, false, false, false, false, false],
    );
  });

  test('is read with GET and HEAD, and nothing else is where its files are not', async (t) => {
    const server = await httpServer(t);
    const visitor = new Visitor(server.url);
    const head = await rawRequest(server, GET('/').replace('GET', 'HEAD'));
    assert.equal(head!.status, 200);
    assert.equal(Number(head!.headers['content-length']), Buffer.byteLength(INDEX));
    const post = await visitor.ask('POST', '/', {});
    assert.equal(post.status, 405);
    assert.equal(post.headers.allow, 'GET, HEAD');
    for (const path of [
      '/index.js',
      '/../package.json',
      '/assets/../../package.json',
      '/%2e%2e/package.json',
      '/assets/',
      '//',
      '/x',
      '/.gz',
    ])
      assert.equal((await rawRequest(server, GET(path)))!.status, 404, path);
  });

  test('is not there with --no-page, nor where a listener has no-page; then nobody signs in either', async (t) => {
    const admin = { 'admin-user': 'root', 'admin-password': 'secret' };
    for (const options of [{ flags: { ...admin, page: false } }, { flags: admin, rights: ',no-page' }]) {
      const server = await httpServer(t, options);
      const visitor = new Visitor(server.url);
      for (const path of ['/', `/${SCRIPT}`]) assert.equal((await rawRequest(server, GET(path)))!.status, 404);
      const { status, problem } = await visitor.ask('POST', '/session', { username: 'root', token: 'secret' });
      assert.deepEqual([status, problem], [403, 'not-served']);
      assert.equal((await visitor.ask('GET', '/session')).body.sign_in, false);
    }
  });
});

describe('a server whose page was not built', () => {
  test('says at its address how to build it, and shows it once it is there', async (t) => {
    const folder = temporaryFolder(t);
    const answers: { status: number; body: string }[] = [];
    const page = createPage(() => readPage(folder));
    const response = () =>
      ({
        req: { method: 'GET' },
        setHeaders() {},
        writeHead(status: number) {
          answers.push({ status, body: '' });
          return this;
        },
        end(body: unknown) {
          answers.at(-1)!.body = String(body);
        },
      }) as never;
    const ask = (path: string) => page.answer(path, { method: 'GET', headers: {} } as never, response());
    assert.equal(await ask('/'), true);
    assert.equal(answers[0]!.status, 404);
    assert.match(answers[0]!.body, /npm run build/);
    assert.equal(await ask('/assets/x.js'), false);
    fs.writeFileSync(path.join(folder, 'index.html'), '<p>here');
    assert.equal(await ask('/'), true);
    assert.deepEqual(answers[1], { status: 200, body: '<p>here' });
  });
});

test('what a browser loads of it is less than 120 KB', () => {
  const assets = path.join(BUILT, 'assets');
  const packed = fs.readdirSync(assets).filter((name) => name.endsWith('.gz'));
  const bytes = packed.reduce((sum, name) => sum + fs.statSync(path.join(assets, name)).size, 0);
  assert.ok(packed.length > 0 && bytes < 120 * 1024, `${bytes} bytes`);
});

test('what was built is whole: each file with its type, and its compressed form says the same', async () => {
  const files: PageFiles = (await readPage())!;
  assert.ok([...files.keys()].includes(SCRIPT));
  for (const [name, { plain, gzip }] of files) if (gzip) assert.deepEqual(gunzipSync(gzip.bytes), plain.bytes, name);
});
