import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { freePort } from '../free-port.ts';
import { readDocument } from '../unit/docs-helpers.ts';
import { Visitor } from '../wire/page-helpers.ts';
import { serve, temporaryFolder } from './helpers.ts';
import { cannotProxy } from './needs.ts';
import { runProxy } from './proxy-helpers.ts';

/** What docs/http.md has nginx send. */
const HEADERS = readDocument('docs/http.md')
  .match(/^ {4}proxy_set_header .*;$/gm)!
  .join('\n');

test('behind an nginx that logs people in, as docs/http.md has it, they are whom it names and nobody else', {
  skip: cannotProxy(),
}, async (t) => {
  const folder = temporaryFolder(t);
  const args = ['--bind', 'http://127.0.0.1:0,anon-perms=@none', '--trust-proxy', '127.0.0.1'];
  const admin = ['--user-header', 'X-Remote-User', '--admin-user', 'root', '--admin-password', 'secret'];
  const server = await serve(t, { folder, args: [...args, ...admin] });
  const [, http] = server.addresses;
  assert.ok(http?.kind === 'http');
  const direct = new Visitor(`http://127.0.0.1:${http.port}`);
  await direct.signIn('root', 'secret');
  assert.equal((await direct.ask('POST', '/users', { username: 'anna', permissions: ['@read'] })).status, 201);

  const port = await freePort();
  fs.writeFileSync(path.join(folder, 'people'), 'anna:{PLAIN}her own\n');
  const configuration = `
    daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      server {
        listen 127.0.0.1:${port};
        auth_basic people;
        auth_basic_user_file ${folder}/people;
        location / {
          ${HEADERS}
          proxy_pass http://127.0.0.1:${http.port};
        }
      }
    }`;
  fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration);
  // Its workers are another user where root starts it.
  fs.chmodSync(folder, 0o755);
  await runProxy(t, ['nginx', '-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')], port);

  const authorization = `Basic ${Buffer.from('anna:her own').toString('base64')}`;
  const anna = new Visitor(`http://127.0.0.1:${port}`, { headers: { authorization, 'x-remote-user': 'root' } });
  const { body } = await anna.ask('GET', '/session');
  assert.deepEqual([body.user, body.by], ['anna', 'proxy'], 'whatever she says of herself');
  assert.equal((await anna.ask('GET', '/')).status, 200);
  assert.equal((await anna.ask('GET', '/users')).status, 403);
  // What the page sends is known for its own through the proxy, also where the browser says nothing of the site.
  const token = await anna.ask('POST', '/users/anna/token', undefined, { 'sec-fetch-site': undefined });
  assert.equal(token.status, 200, JSON.stringify(token.body));
  const foreign = { 'sec-fetch-site': undefined, origin: 'http://evil.example' };
  assert.equal((await anna.ask('POST', '/users/anna/token', undefined, foreign)).status, 403);
});
