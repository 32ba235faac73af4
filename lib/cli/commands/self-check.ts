import { ConnectionLost } from '../../asyncrpc/client/channel.ts';
import { connectClient } from '../../asyncrpc/client/client.ts';
import { type Address, formatAddress, protocolAddress } from '../../asyncrpc/transport/address.ts';
import { dial } from '../../asyncrpc/transport/dial.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';

const CONNECT_TIMEOUT_MS = 3000;

/** What is known of a listener: the services that are spoken there, and what clients must show or begin with. */
export interface CheckedListener {
  readonly hashserv: unknown;
  readonly prserv: unknown;
  readonly clientCertificates?: boolean;
  readonly proxyProtocol?: boolean;
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

async function ping(address: Address, protocol: string, listener: CheckedListener): Promise<string> {
  const { clientCertificates, proxyProtocol } = listener;
  if (proxyProtocol) return pingAsProxy(address, protocol);
  if (clientCertificates && address.kind !== 'unix') {
    // It lets us shake hands, and hangs up on whatever follows.
    const { host, port } = address;
    const { stream } = await dial({ kind: 'tls', host, port }, { timeoutMs: CONNECT_TIMEOUT_MS, anyServer: true });
    stream.destroy();
    return 'it wants a certificate';
  }
  return pingOver(protocolAddress(address), protocol, (at, options) => dial(at, { ...options, anyServer: true }));
}

/** What a proxy sends before a connection of its own. */
const OWN_CONNECTION = 'PROXY UNKNOWN\r\n';

/** Asks as a proxy that looks after its server. A listener that trusts proxies elsewhere hangs up on one from here. */
async function pingAsProxy(address: Address, protocol: string): Promise<string> {
  const plain = address.kind === 'unix' ? address : ({ ...address, kind: 'tcp' } as const);
  if (address.kind !== plain.kind) {
    const { stream } = await dial(plain, { timeoutMs: CONNECT_TIMEOUT_MS });
    stream.destroy();
    return FOR_PROXIES;
  }
  let isConnected = false;
  try {
    return await pingOver(plain, protocol, async (at, options) => {
      const dialed = await dial(at, options);
      isConnected = true;
      dialed.stream.write(OWN_CONNECTION);
      return dialed;
    });
  } catch (error) {
    if (isConnected && error instanceof ConnectionLost) return FOR_PROXIES;
    throw error;
  }
}

const FOR_PROXIES = 'it is for proxies only';

async function pingOver(address: Address, protocol: string, how: typeof dial): Promise<string> {
  const client = await connectClient(address, { protocol, dial: how, reconnects: 0 });
  try {
    return encodeJson(await client.invoke('ping', {}));
  } finally {
    client.close();
  }
}
