import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import type { Limits } from '../../lib/asyncrpc/limits.ts';
import { type Server, startServer } from '../../lib/server.ts';
import { type Certificate, type CertificateRequest, issue, writeCertificate } from './certificate.ts';
import { configIn, temporaryFolder, WireClient } from './helpers.ts';
import { type RecordedLog, recordLog } from './log-recorder.ts';

/** What a client shows and how it connects, beside the defaults. */
export type ClientTls = Pick<
  tls.ConnectionOptions,
  'cert' | 'key' | 'minVersion' | 'maxVersion' | 'ciphers' | 'session'
>;

/** A server with a tls:// listener, and clients that trust its authority. */
export interface SecureServer extends RecordedLog {
  readonly server: Server;
  readonly folder: string;
  readonly authority: Certificate;
  /** PEM file of the authority. */
  readonly caFile: string;
  readonly port: number;
  readonly files: { readonly certFile: string; readonly keyFile: string };
  /** A client that connects and has not said anything. */
  dial(shown?: ClientTls): WireClient;
  /** One that has shaken hands as a client of a service. */
  connect(shown?: ClientTls, protocol?: string): WireClient;
  /** The socket under TLS, on which nothing was said. */
  bare(): Promise<net.Socket>;
}

export interface SecureServerOptions {
  readonly flags?: Record<string, unknown>;
  readonly limits?: Partial<Limits>;
  /** Of the server's certificate. */
  readonly certificate?: Partial<CertificateRequest>;
  /** Whether clients need a certificate of the same authority. */
  readonly clientCertificates?: boolean;
}

export async function secureServer(
  t: TestContext,
  { flags = {}, limits = {}, certificate = {}, clientCertificates = false }: SecureServerOptions = {},
): Promise<SecureServer> {
  const after: (() => void)[] = [];
  // Hooks run in the order they are added: the folder must outlive the server.
  const folder = temporaryFolder({ after: (fn) => after.push(fn) });
  const authority = issue({ commonName: 'Test Authority' });
  const { certFile: caFile } = writeCertificate(folder, 'ca', authority);
  const own = issue({ commonName: 'server', hosts: ['localhost'], issuer: authority, ...certificate });
  const files = writeCertificate(folder, 'server', own);
  const recorded = recordLog();
  const config = configIn(
    folder,
    {
      bind: ['tls://127.0.0.1:0'],
      'tls-cert': files.certFile,
      'tls-key': files.keyFile,
      ...(clientCertificates && { 'tls-client-ca': caFile }),
      'sync-mode': 'on_shutdown',
      ...flags,
    },
    limits,
  );
  const server = await startServer(config, recorded.log);
  const { address } = server.listeners[0]!;
  assert(address.kind !== 'unix');
  const { port } = address;
  const clients: { destroy(): void }[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await server.close();
    for (const fn of after) fn();
  });
  const dial = (shown: ClientTls = {}) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ...shown });
    clients.push(socket);
    return new WireClient(socket);
  };
  const bare = async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const connect = (shown?: ClientTls, protocol?: string) => dial(shown).handshake(protocol);
  return { ...recorded, server, folder, authority, caFile, port, files, dial, connect, bare };
}
