import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

/** None is given twice: the program that has one takes it some time later. */
const given = new Set<number>();

/**
 * A port for a program that cannot choose one itself. Below those that the system gives out by itself, to servers on port 0
 * and to clients: of these another test may have got one before the program takes it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (given.has(port)) continue;
    const server = net.createServer();
    const tried = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await tried)) continue;
    server.close();
    await once(server, 'close');
    given.add(port);
    return port;
  }
}
