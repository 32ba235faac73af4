import { connectClient } from '../../asyncrpc/client/client.ts';
import { type Address, formatAddress, protocolAddress } from '../../asyncrpc/transport/address.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';

/** Sends a listener a request for each service that is spoken there, as a client would. Returns the conversation as one line. */
export async function selfCheck(address: Address, carried: { hashserv: unknown; prserv: unknown }): Promise<string> {
  const asked: string[] = [];
  const services: string[] = [];
  if (carried.hashserv) services.push('OEHASHEQUIV 1.1');
  if (carried.prserv) services.push('PRSERVICE 1.0');
  for (const protocol of services) {
    const client = await connectClient(protocolAddress(address), { protocol });
    try {
      asked.push(`${protocol}: {"ping": {}} -> ${encodeJson(await client.invoke('ping', {}))}`);
    } finally {
      client.close();
    }
  }
  return `${formatAddress(address)} ${asked.join('; ')}`;
}
