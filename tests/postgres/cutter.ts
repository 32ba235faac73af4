import net from 'node:net';

/** A way to a server that can be cut. */
export interface Cutter {
  readonly port: number;
  /** Breaks every connection, in the middle of whatever is under way. Resolves to how many there were. */
  cut(): number;
  close(): Promise<void>;
}

/** Passes on what goes to a port. */
export async function startCutter(port: number): Promise<Cutter> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    sockets.add(near);
    near.pipe(far);
    far.pipe(near);
    const end = () => {
      sockets.delete(near);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    const count = sockets.size;
    // One that is being ended cannot be reset: Node would never close it, and the process of the test never end.
    for (const socket of sockets) socket.writableEnded ? socket.destroy() : socket.resetAndDestroy();
    return count;
  };
  return {
    port: (server.address() as net.AddressInfo).port,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
