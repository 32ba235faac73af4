import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { temporaryFolder } from './helpers.ts';

/** How an upstream behaves. */
export type Mode =
  | 'right'
  | 'refused'
  | 'hanging after connect'
  | 'hanging mid-stream'
  | 'closing mid-reply'
  | 'sending garbage'
  | 'sending 40-digit unihashes and malformed PR values'
  | "sending another task's answer"
  | 'sending a line without end'
  | 'answering with errors'
  | 'answering with errors without a text';

/** An upstream for both services that says what its mode has it say. It knows every hash that begins with `a`. */
export interface FakeUpstream {
  readonly address: string;
  /** Changes how it behaves from now on; connections that are open stay, unless it is to refuse. */
  become(mode: Mode): Promise<void>;
  /** Requests and stream lines by command, as they came; `ping` and `auth` among them. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  readonly connections: number;
  /** Holds every answer back until the gate opens; without one answers go out at once. */
  gate: Promise<void> | null;
  /** Whether answers to that command wait at the gate; all of them do otherwise. */
  gates: ((command: string) => boolean) | null;
  /** Hangs up, without a word, on a request or line of a stream that holds this; null: on none. */
  hangsUpOn: string | null;
  /** Where it hangs up, the answers to what came in the same packet are lost. */
  losesAnswers: boolean;
  /** Who may log in: `user:token`; null lets everybody in. */
  login: string | null;
  /** Largest value of every package; null: it knows none. */
  prMax: string | null;
  /** What it answers to chain-pr; null: it does not know the command, and closes the connection as BitBake's servers do. */
  chain: object | null;
}

export const unihashOf = (task: string) => createHash('sha256').update(task).digest('hex');

export async function fakeUpstream(
  t: { after(fn: () => void): void },
  first: Mode = 'right',
  socket = path.join(temporaryFolder(t as never), 'up'),
): Promise<FakeUpstream> {
  const open = new Set<net.Socket>();
  const asked = new Map<string, string[]>();
  let mode: Mode = 'refused';
  const refuses = () => mode.startsWith('answering with errors');
  let server: net.Server | null = null;
  let connections = 0;

  const fake: FakeUpstream = {
    address: `unix://${socket}`,
    asked,
    gate: null,
    gates: null,
    hangsUpOn: null,
    losesAnswers: false,
    login: null,
    prMax: '7',
    chain: null,
    get connections() {
      return connections;
    },
    async become(next) {
      mode = next;
      if (next === 'refused') {
        for (const each of open) each.destroy();
        server?.close();
        server = null;
      } else if (!server) {
        server = net.createServer(serve);
        server.listen(socket);
        await once(server, 'listening');
      }
    },
  };

  function serve(client: net.Socket): void {
    connections++;
    open.add(client);
    client.setEncoding('utf8');
    client.on('error', () => {});
    client.on('close', () => open.delete(client));
    let rest = '';
    let headers = true;
    let stream: string | null = null;
    client.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      const { hangsUpOn, losesAnswers } = fake;
      if (losesAnswers && hangsUpOn !== null && text.includes(hangsUpOn)) return void client.destroy();
      for (const line of lines) {
        if (client.writableEnded) return;
        if (hangsUpOn !== null && line.includes(hangsUpOn)) {
          note('hung up', line);
          // What was answered before still leaves.
          return void client.destroySoon();
        }
        if (headers) headers = line !== '';
        else if (stream) {
          note(stream, line);
          if (line === 'END') stream = null;
          reply(client, stream ? streamAnswer(stream, line) : 'ok', stream !== null, stream ?? 'END');
        } else {
          const [command, args] = Object.entries(JSON.parse(line) as Record<string, Record<string, string>>)[0]!;
          note(command, JSON.stringify(args));
          if (command === 'chain-pr' && fake.chain === null && !mode.startsWith('hanging')) return client.destroySoon();
          const enters = command.endsWith('-stream') && !refuses();
          if (enters) stream = command;
          reply(client, JSON.stringify(enters ? 'ok' : answer(command, args)), enters, command);
          // As a server does that gets lines of a stream it has not entered.
          if (command.endsWith('-stream') && !enters) client.destroySoon();
        }
      }
    });
  }

  function note(command: string, what: string): void {
    const list = asked.get(command) ?? [];
    list.push(what);
    asked.set(command, list);
  }

  /** @param inStream the line belongs to a stream or enters one */
  function reply(client: net.Socket, line: string, inStream: boolean, command: string): void {
    const send = (text: string) => void (client.destroyed || client.write(text));
    if (mode === 'hanging after connect') return;
    if (mode === 'hanging mid-stream' && (!inStream || line !== '"ok"')) return;
    if (mode === 'closing mid-reply') return void client.end(line.slice(0, -1) || 'x');
    if (mode === 'sending garbage') return send(`\u0007{{ ${line.length} what?\n`);
    if (mode === 'sending a line without end') return endless(client);
    if (fake.gate && (fake.gates?.(command) ?? true)) void fake.gate.then(() => send(`${line}\n`));
    else send(`${line}\n`);
  }

  function streamAnswer(stream: string, line: string): string {
    const known = line.slice(line.indexOf(' ') + 1).startsWith('a');
    if (stream === 'exists-stream') return mode === 'right' ? String(known) : 'perhaps';
    if (mode.startsWith('sending 40')) return unihashOf(line).slice(0, 40);
    // A line of a stream does not say what it answers: this one is wrong in a way that shows.
    if (mode === "sending another task's answer") return `${unihashOf('another')} oe.Other`;
    return known ? unihashOf(line) : '';
  }

  function answer(command: string, args: Record<string, string>): unknown {
    if (command === 'auth' && fake.login !== null) {
      const { username, token } = args;
      if (`${username}:${token}` === fake.login) return { result: true, username, permissions: ['@read'] };
      return { 'invoke-error': { message: `Unable to authenticate as ${username}` } };
    }
    if (refuses()) {
      const text = 'Anonymous user is not allowed';
      return { 'invoke-error': { message: mode.endsWith('without a text') ? { toString: text } : text } };
    }
    if (command === 'ping') return { alive: true };
    if (command === 'chain-pr') return fake.chain;
    const other = mode === "sending another task's answer";
    const short = mode.startsWith('sending 40');
    if (command === 'max-package-pr' || command === 'test-pr') {
      if (short) return { value: "7'; DROP TABLE PRMAIN" };
      if (other) return { version: 'another', value: 7 };
      return { value: command === 'test-pr' ? null : fake.prMax };
    }
    const { method = '', taskhash = '', outhash } = args;
    if (!(outhash ?? taskhash).startsWith('a')) return null;
    const unihash = unihashOf(`${method} ${taskhash}`).slice(0, short ? 40 : 64);
    const row = { method, taskhash: other ? `${taskhash}0` : taskhash, unihash };
    if (command === 'get' && !args.all) return row;
    const created = '2024-01-02T03:04:05.000006+00:00';
    return { ...row, outhash: other ? 'another' : (outhash ?? unihashOf('out')), created, id: 5, PN: 'pn' };
  }

  /** A gigabyte without a newline, as fast as it is read. */
  function endless(client: net.Socket): void {
    const piece = Buffer.alloc(1024 * 1024, 'a');
    let left = 1024;
    const more = () => {
      while (left-- > 0 && !client.destroyed) if (!client.write(piece)) return;
    };
    client.removeAllListeners('data').removeAllListeners('drain').on('drain', more).resume();
    more();
  }

  t.after(() => void fake.become('refused'));
  await fake.become(first);
  return fake;
}
