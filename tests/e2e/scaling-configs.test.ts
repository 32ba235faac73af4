import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runToEnd, temporaryFolder } from './helpers.ts';
import { cannotProxy, NGINX_STREAM_MODULE } from './needs.ts';
import { example } from './proxy-helpers.ts';

const FOLDER = fileURLToPath(new URL('../../contrib/scaling/', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));
const filesOf = (extension: string) => fs.readdirSync(FOLDER).filter((name) => name.endsWith(extension));

describe('the configurations of contrib/scaling', () => {
  for (const name of filesOf('.yaml')) {
    test(`${name} passes config check`, async (t) => {
      // Where the service would have /var/lib/bakeserv.
      const folder = temporaryFolder(t);
      const file = path.join(folder, name);
      fs.writeFileSync(file, example(`scaling/${name}`, {}).replaceAll('/var/lib/bakeserv', folder));
      const { status, stdout, stderr } = await runToEnd(['config', 'check', '--config', file], folder);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /listener|8080/);
    });
  }

  test('a public server lets nobody store, whoever asks', async () => {
    const { stdout } = await runToEnd(['config', 'check', '--config', path.join(FOLDER, 'public.yaml')]);
    assert.match(stdout, /8686.*read-only/);
    assert.doesNotMatch(stdout, /@report|@db-admin,/);
  });

  test('haproxy and nginx take theirs', { skip: cannotProxy() }, (t) => {
    const haproxy = spawnSync('haproxy', ['-c', '-f', path.join(FOLDER, 'haproxy.cfg')], { encoding: 'utf8' });
    assert.equal(haproxy.status, 0, haproxy.stderr);
    const folder = temporaryFolder(t);
    const file = path.join(folder, 'nginx.conf');
    const here = {
      'include /etc/nginx/modules-enabled/*.conf;': `load_module ${NGINX_STREAM_MODULE}; pid ${folder}/pid;`,
    };
    fs.writeFileSync(file, example('scaling/nginx.conf', here));
    const nginx = spawnSync('nginx', ['-t', '-e', 'stderr', '-p', folder, '-c', file], { encoding: 'utf8' });
    assert.equal(nginx.status, 0, nginx.stderr);
  });

  test('each is explained in docs/scaling.md', () => {
    const text = fs.readFileSync(DOCS, 'utf8');
    for (const name of fs.readdirSync(FOLDER)) assert.ok(text.includes(`contrib/scaling/${name}`), name);
  });
});
