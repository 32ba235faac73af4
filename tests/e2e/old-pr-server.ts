import { once } from 'node:events';
import net from 'node:net';
import readline from 'node:readline';
import type { PrRow } from '../../lib/prserv/store.ts';

/**
 * A PR server as BitBake's is seen from outside: it closes the connection at a command it does not know, and compares
 * values as text, so that an export without history has 9 for 0 to 10.
 */
export async function oldPrServer(rows: PrRow[], { takes = Number.POSITIVE_INFINITY } = {}) {
  const same = (a: PrRow, b: PrRow) => a.version === b.version && a.pkgarch === b.pkgarch;
  const commands: Record<string, (args: never) => unknown> = {
    'is-readonly': () => ({ readonly: false }),
    'test-pr': (key: PrRow) => {
      const values = rows.filter((row) => same(row, key) && row.checksum === key.checksum).map(({ value }) => value);
      return { value: values.sort().at(-1) ?? null };
    },
    'import-one': (row: PrRow) => {
      if (rows.length >= takes) return undefined;
      rows.push({ version: row.version, pkgarch: row.pkgarch, checksum: row.checksum, value: row.value });
      return { value: row.value };
    },
    export: ({ history }: { history: boolean }) => ({
      metainfo: {},
      datainfo: history
        ? rows
        : rows.filter((row) => !rows.some((other) => same(other, row) && other.value > row.value)),
    }),
  };
  const server = net.createServer(async (socket) => {
    socket.on('error', () => {});
    let headers = true;
    for await (const line of readline.createInterface({ input: socket })) {
      if (headers) headers = line !== '';
      else {
        const [[command, args]] = Object.entries(JSON.parse(line)) as [[string, never]];
        const reply = commands[command]?.(args);
        if (reply === undefined) socket.destroy();
        else socket.write(`${JSON.stringify(reply)}\n`);
      }
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    close: () => void server.close(),
  };
}
