/** Attacks on the HTTP listener. */
import { connect, flood, httpPort, MIB, rest, until, wait } from './attacker-tools.ts';

const ask = (method: string, path: string, headers = '', body = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}${body && `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`;
const sockets = (count: number, read = true) => Array.from({ length: count }, () => connect(read, httpPort));

/** Keeps as many connections open as the server lets it, each beginning with the same bytes. */
async function besiege(count: number, hello: string): Promise<void> {
  const open = () => {
    const socket = connect(true, httpPort);
    socket.write(hello);
    socket.once('close', () => performance.now() < until && setTimeout(open, 10));
  };
  for (let n = 0; n < count; n++) open();
  await rest();
}

export const HTTP_ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  'HTTP: pipelined health': () => flood(sockets(50), ask('GET', '/healthz').repeat(2000)),
  'HTTP: pipelined readiness': () => flood(sockets(50), ask('GET', '/readyz').repeat(2000)),
  'HTTP: pipelined look-ups': () => flood(sockets(50), ask('GET', '/api/v1/unihashes/m/t').repeat(1000)),
  'HTTP: pipelined errors': () => flood(sockets(50), ask('GET', '/api/v1/nothing').repeat(1000)),
  'HTTP: wrong logins': () =>
    flood(sockets(128), ask('GET', '/api/v1/users', 'Authorization: Basic cm9vdDp3cm9uZw==\r\n').repeat(100)),
  'HTTP: bodies of 1 MiB of {}': () =>
    flood(sockets(8), ask('POST', '/api/v1/reports', '', `{"a": [${'{},'.repeat(MIB / 3 - 10)}{}]}`)),
  'HTTP: bodies that never end': () =>
    besiege(300, `${ask('POST', '/api/v1/reports', `Content-Type: application/json\r\nContent-Length: ${MIB}\r\n`)}{`),
  'HTTP: headers that never end': () => besiege(300, 'GET /healthz HTTP/1.1\r\nHost: l'),
  'HTTP: answers not read': async () => {
    for (const socket of sockets(128, false)) socket.write(ask('GET', '/api/v1/openapi.json').repeat(1000));
    await rest();
  },
  'HTTP: short connections': async () => {
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (performance.now() < until) {
          const socket = connect(true, httpPort);
          socket.end(ask('GET', '/healthz', 'Connection: close\r\n'));
          await new Promise((resolve) => socket.once('close', resolve));
        }
      }),
    );
  },
  'HTTP: garbage, 8 MiB/s': async () => {
    while (performance.now() < until) {
      const socket = connect(true, httpPort);
      socket.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(10_000)}`);
      socket.write(Buffer.alloc(MIB / 8, 0xff));
      await wait(20);
      socket.destroy();
    }
  },
};
