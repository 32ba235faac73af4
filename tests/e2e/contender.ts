import net from 'node:net';
import { claimPath } from '../../lib/asyncrpc/transport/unix/claim.ts';
import { bindUnixSocket } from '../../lib/asyncrpc/transport/unix/socket.ts';

/** What socket-race.test.ts tells a process of this program to do. */
export type Order = { listen: string } | { claim: string } | 'close';
/** What it answers: null when it was done, else why not. */
export type Answer = string | null;

let close = () => {};

/** A server that says its process number to whoever connects. */
async function listen(file: string): Promise<Answer> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end(String(process.pid)));
  try {
    const release = await bindUnixSocket(server, file, 16);
    close = () => {
      release();
      server.close();
    };
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function claim(file: string): Promise<Answer> {
  return (await claimPath(file)) ? null : 'claimed by another';
}

process.on('message', async (order: Order) => {
  let answer: Answer = null;
  if (order === 'close') close();
  else answer = 'listen' in order ? await listen(order.listen) : await claim(order.claim);
  process.send!(answer);
});
process.on('disconnect', () => process.exit());
process.send!(null);
