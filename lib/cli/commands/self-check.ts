import { connectClient } from '../../asyncrpc/client/client.ts';
import { type Address, formatAddress } from '../../asyncrpc/transport/address.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';

/** Sends a listener a request for each of its services, as a client would. Returns the conversation as one line. */
export async function selfCheck(address: Address, carried: { hashserv: boolean; prserv: boolean }): Promise<string> {
  const asked: string[] = [];
  const services = [carried.hashserv && 'OEHASHEQUIV 1.1', carried.prserv && 'PRSERVICE 1.0'].filter(
    (name) => name !== false,
  );
  for (const protocol of services) {
    const client = await connectClient(address, { protocol });
    try {
      asked.push(`${protocol}: {"ping": {}} -> ${encodeJson(await client.invoke('ping', {}))}`);
    } finally {
      client.close();
    }
  }
  return `${formatAddress(address)} ${asked.join('; ')}`;
}
