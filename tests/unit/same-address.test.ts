import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reaches } from '../../lib/cli/publish/same-address.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['::1', '127.0.0.1'],
  'build1.example.org': ['192.0.2.7'],
  'build2.example.org': ['192.0.2.8'],
};
const resolve = async (host: string) => NAMES[host] ?? (/^[\d.:a-f]+$/.test(host) ? [host] : []);

describe('a server is found by an address', () => {
  for (const [wanted, listening] of [
    ['localhost:8585', '127.0.0.1:8585'],
    ['127.0.0.1:8585', 'localhost:8585'],
    ['localhost:8585', '[::1]:8585'],
    ['localhost:8585', '0.0.0.0:8585'],
    ['127.0.0.1:8585', '[::]:8585'],
    [':8585', '0.0.0.0:8585'],
    [':8585', '127.0.0.1:8585'],
    ['build1.example.org:8585', '192.0.2.7:8585'],
    ['[::ffff:192.0.2.7]:8585', '192.0.2.7:8585'],
    ['tls://localhost:8585', 'tls://127.0.0.1:8585'],
    ['wss://localhost:8585/ws', 'wss://127.0.0.1:8585/ws'],
    ['unix:///run/s', 'unix:///run/s'],
  ] as const)
    test(`${wanted} by which ${listening} is reached`, async () => {
      assert.equal(await reaches(wanted, listening, resolve), true);
    });

  for (const [wanted, listening] of [
    ['localhost:8585', '127.0.0.1:8586'],
    ['tls://localhost:8585', '127.0.0.1:8585'],
    ['build1.example.org:8585', '192.0.2.8:8585'],
    ['build1.example.org:8585', '0.0.0.0:8585'],
    ['nowhere.example.org:8585', '0.0.0.0:8585'],
    ['ws://localhost:8585/a', 'ws://127.0.0.1:8585/b'],
    ['unix:///run/s', 'unix:///run/other'],
    ['localhost:8585', 'unix:///run/s'],
  ] as const)
    test(`not ${wanted} where it listens on ${listening}`, async () => {
      assert.equal(await reaches(wanted, listening, resolve), false);
    });
});
