import { connectClient } from '../../asyncrpc/client/client.ts';
import { type Address, formatAddress, protocolAddress } from '../../asyncrpc/transport/address.ts';
import { dial } from '../../asyncrpc/transport/dial.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';

const CONNECT_TIMEOUT_MS = 3000;

/** What is known of a listener: the services that are spoken there, and whether clients must show a certificate. */
export interface CheckedListener {
  readonly hashserv: unknown;
  readonly prserv: unknown;
  readonly clientCertificates?: boolean;
}

/**
 * Sends a listener a request for each service that is spoken there, as a client would. Returns the conversation as one line.
 * A listener of ours is at hand: its certificate is for the name that others know it by, and is not checked. One that asks for ours
 * has answered by asking.
 */
export async function selfCheck(address: Address, listener: CheckedListener): Promise<string> {
  const asked: string[] = [];
  const services: string[] = [];
  if (listener.hashserv) services.push('OEHASHEQUIV 1.1');
  if (listener.prserv) services.push('PRSERVICE 1.0');
  for (const protocol of services)
    asked.push(`${protocol}: {"ping": {}} -> ${await ping(address, protocol, listener)}`);
  return `${formatAddress(address)} ${asked.join('; ')}`;
}

async function ping(address: Address, protocol: string, { clientCertificates }: CheckedListener): Promise<string> {
  if (clientCertificates && address.kind !== 'unix') {
    // It lets us shake hands, and hangs up on whatever follows.
    const { host, port } = address;
    const { stream } = await dial({ kind: 'tls', host, port }, { timeoutMs: CONNECT_TIMEOUT_MS, anyServer: true });
    stream.destroy();
    return 'it wants a certificate';
  }
  const client = await connectClient(protocolAddress(address), {
    protocol,
    dial: (at, options) => dial(at, { ...options, anyServer: true }),
  });
  try {
    return encodeJson(await client.invoke('ping', {}));
  } finally {
    client.close();
  }
}
