/**
 * Holds idle clients: `node --import tsx bench/hold.ts ADDR COUNT`. Connects them, at most 64 in handshake at a time, and
 * sends each a ping; when all are answered or refused, pings again those that were answered, and prints
 * `{"held": n, "seconds": s}`: how many are served at once. Keeps them until its stdin ends.
 */
import net from 'node:net';
import { parseAddress } from './generator.ts';
import { preamble } from './requests.ts';

const IN_HANDSHAKE = 64;
/** A client that waits longer for an answer is not served. */
const ANSWER_MS = 3_000;

const PING = Buffer.from('{"ping": {}}\n');
const HELLO = Buffer.concat([preamble('ping', false), PING]);
const address = parseAddress(process.argv[2] ?? '');
const count = Number(process.argv[3]);

/** True when the next reply arrives in time; false when the connection ends or fails before. */
function answered(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean) => {
      clearTimeout(limit);
      socket.off('data', data).off('close', gone);
      resolve(answer);
    };
    const data = (chunk: Buffer) => settle(chunk.includes('"alive"'));
    const gone = () => settle(false);
    const limit = setTimeout(gone, ANSWER_MS);
    socket.on('data', data).on('close', gone);
  });
}

const began = performance.now();
const sockets: net.Socket[] = [];
let left = count;

async function connectInTurn(): Promise<void> {
  while (left-- > 0) {
    const socket = net.connect({ ...address, noDelay: true }).on('error', () => {});
    socket.write(HELLO);
    if (await answered(socket)) sockets.push(socket);
    else socket.destroy();
  }
}

await Promise.all(Array.from({ length: IN_HANDSHAKE }, connectInTurn));
const alive = await Promise.all(
  sockets.map((socket) => {
    socket.write(PING);
    return answered(socket);
  }),
);
const held = alive.filter(Boolean).length;
process.stdout.write(`${JSON.stringify({ held, seconds: Number(((performance.now() - began) / 1000).toFixed(3)) })}\n`);
process.stdin.resume().on('end', () => process.exit(0));
