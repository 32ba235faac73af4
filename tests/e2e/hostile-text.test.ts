import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAddress } from '../../lib/asyncrpc/transport/address.ts';
import { connectPrClient } from '../../lib/prserv/client.ts';
import { openSite, outcome, type Site } from './client-helpers.ts';

/** Sets the title of a terminal, goes to the start of the line and on to one that looks like another row. */
const EVIL = '\u001b]0;owned\u0007\r\u009b2J\nzlib x86 99';
const SHOWN = '?]0;owned???2J?zlib x86 99';
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;
const BIN = path.join(import.meta.dirname, '../../dist/bin');

describe('no control character of somebody else’s gets to a terminal, and none forges a line', () => {
  let site: Site;
  let liar: { readonly address: string; close(): void };
  before(async () => {
    site = await openSite();
    liar = await lyingServer();
    const client = await connectPrClient(parseAddress(site.address));
    await client.getPr({ version: `hello-${EVIL}`, pkgarch: 'core', checksum: EVIL }, true);
    client.close();
  });
  after(() => {
    liar.close();
    return site.close();
  });

  const start = (program: string, args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [path.join(BIN, program), ...args], {
      env: { PATH: process.env.PATH, HOME: site.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  test('in what other clients have stored: a package stays one line', async () => {
    const { stdout } = await site.pr(['list']);
    assert.equal(stdout, `hello-${SHOWN} core 0\n`);
    const history = await site.pr(['history', `hello-${EVIL}`, 'core']);
    assert.equal(history.stdout, `${SHOWN} 0\n`);
  });

  test('and --json has it as it is, escaped', async () => {
    const { stdout } = await site.pr(['list', '--json']);
    assert.doesNotMatch(stdout, CONTROL);
    assert.deepEqual(JSON.parse(stdout), [{ version: `hello-${EVIL}`, pkgarch: 'core', value: '0' }]);
  });

  for (const [program, args] of [
    ['bakeserv-hashclient.js', ['stats']],
    ['bakeserv-prclient.js', ['is-readonly']],
    ['launch.cjs', ['warm', '/dev/null']],
  ] as const) {
    test(`in why a server refuses: ${program.split('.')[0]} ${args[0]}`, async () => {
      const option = program === 'bakeserv-prclient.js' ? '--server' : '--address';
      const { status, stderr } = await outcome(start(program, [...args, option, liar.address]));
      assert.equal(status, 1);
      assert.doesNotMatch(stderr, CONTROL);
      assert.ok(stderr.endsWith(`no ${SHOWN}\n`), JSON.stringify(stderr));
      assert.equal(stderr.split('\n').length, 2, 'one line');
    });
  }
});

/** A server that refuses everything, in words that are meant for a terminal. */
async function lyingServer(): Promise<{ readonly address: string; close(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        const requests = String(bytes).match(/^\{.*$/gm) ?? [];
        for (const _ of requests) socket.write(`${JSON.stringify({ 'invoke-error': { message: `no ${EVIL}` } })}\n`);
      });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
