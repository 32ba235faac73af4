import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { openControl, type ServerStatus } from '../../lib/cli/process/control.ts';
import { askCheck, askJobs, askStatus, askStop } from '../../lib/cli/process/control-client.ts';
import { InvokeError } from '../../lib/errors.ts';

const STATUS = { command: 'serve', pid: 1 } as ServerStatus;

test('a control socket holds a bounded number of clients, and answers again when one has gone', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  const file = path.join(folder, 's');
  const control = await openControl(file, { status: () => STATUS });
  const sockets: net.Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    control.close();
    fs.rmSync(folder, { recursive: true });
  });
  const connect = () =>
    new Promise<net.Socket>((resolve, reject) => {
      const socket = net.connect(file, () => resolve(socket));
      socket.on('error', reject);
      sockets.push(socket);
    });
  // One after the other: more at once than wait to be accepted are turned away by the system.
  const connected: net.Socket[] = [];
  for (let n = 0; n < 256; n++) connected.push(await connect());
  assert.equal(await askStatus(file), null);
  const gone = new Promise((resolve) => connected[0]!.once('close', resolve));
  connected[0]!.end('status\n');
  connected[0]!.resume();
  await gone;
  assert.deepEqual(await askStatus(file), STATUS);
  // What this one cannot do it hangs up on.
  assert.deepEqual([await askStop(file, 10_000), await askCheck(file)], [null, null]);
});

test('clients that have their answer and stay take nobody’s place, and strangers have fewer places', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  const file = path.join(folder, 's');
  const control = await openControl(file, { status: () => STATUS, check: async () => [], join: () => true }, 0o666);
  const sockets: net.Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    control.close();
    fs.rmSync(folder, { recursive: true });
  });
  const ask = (word: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = net.connect({ path: file, allowHalfOpen: true }, () => socket.write(`${word}\n`));
      let text = '';
      socket.on('data', (piece) => {
        text += piece;
      });
      // Its own side stays open.
      socket.on('end', () => resolve(text)).on('error', reject);
      sockets.push(socket);
    });
  for (let n = 0; n < 40; n++) {
    const word = ['status', 'check', 'join 0 -'][n % 3]!;
    assert.equal(await ask(word), word === 'check' ? '[]\n' : `${JSON.stringify(STATUS)}\n`, `number ${n}`);
  }
  for (let n = 0; n < 32; n++) {
    const silent = net.connect(file);
    sockets.push(silent);
    await once(silent, 'connect');
  }
  assert.equal(await askStatus(file), null, 'there is no place for one more');
});

test('commands about jobs are answered on the socket of the server’s user, and on no other', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-test-'));
  const [own, everybodys] = [path.join(folder, 'own'), path.join(folder, 'everybodys')];
  const status = () => STATUS;
  const job = async (command: string, args: unknown) => {
    if (command !== 'job-show') throw new InvokeError('not that');
    return { asked: JSON.stringify(args) };
  };
  const controls = [await openControl(own, { status, job }), await openControl(everybodys, { status }, 0o666)];
  t.after(() => {
    for (const control of controls) control.close();
    fs.rmSync(folder, { recursive: true });
  });
  // Longer than any other request, and more than ASCII.
  const args = { path: `/srv/${'ü'.repeat(2000)}` };
  assert.deepEqual(await askJobs(own, 'job-show', args), { asked: JSON.stringify(args) });
  await assert.rejects(askJobs(own, 'job-start', args), /^InvokeError: not that/);
  await assert.rejects(askJobs(everybodys, 'job-show', args), /the server did not answer/);
  assert.deepEqual(await askStatus(everybodys), STATUS);
});
