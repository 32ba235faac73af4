import { type Address, usesTls } from '../asyncrpc/transport/address.ts';
import type { CertificateFiles, TlsFiles } from '../asyncrpc/transport/tls/credentials.ts';
import { ConfigError } from '../errors.ts';
import type { ListenerObject } from './listener-words.ts';

/** What holds for listeners with TLS that do not say otherwise. */
export interface TlsDefaults {
  readonly certificate: CertificateFiles | null;
  readonly clientCaFile: string | null;
}

/** The value of an option, or where it was set. */
type Text = (name: string) => string | undefined;

/**
 * A certificate that two options name; null when neither is given.
 * @throws ConfigError when one of the two is given without the other
 */
export function certificateOf(cert: string, key: string, text: Text, where: Text): CertificateFiles | null {
  const [certFile, keyFile] = [text(cert), text(key)];
  if (certFile && keyFile) return { certFile, keyFile };
  if (certFile) throw new ConfigError(`${where(cert)}: its key is missing; name it with ${key}`);
  if (keyFile) throw new ConfigError(`${where(key)}: its certificate is missing; name it with ${cert}`);
  return null;
}

/** @throws ConfigError as `certificateOf` */
export function tlsDefaults(text: Text, where: Text): TlsDefaults {
  return {
    certificate: certificateOf('tls-cert', 'tls-key', text, where),
    clientCaFile: text('tls-client-ca') || null,
  };
}

/**
 * Refuses options that would have no effect: whoever asks for client certificates must not get listeners without.
 * @throws ConfigError
 */
export function requireTlsListener(
  { certificate, clientCaFile }: TlsDefaults,
  listeners: readonly { readonly address: Address }[],
  where: Text,
): void {
  if (listeners.some(({ address }) => usesTls(address))) return;
  const given = certificate ? 'tls-cert' : clientCaFile ? 'tls-client-ca' : null;
  if (given !== null)
    throw new ConfigError(
      `${where(given)}: nothing listens with TLS; name a tls://, wss:// or https:// address with --bind`,
    );
}

/**
 * The files of a listener. A certificate and its key are named together; the general authorities of clients hold for a
 * listener with a certificate of its own too.
 * @param bad makes an error that names the listener
 * @returns null for a listener without TLS, and for one without a certificate, which a start refuses
 */
export function tlsOf(
  { 'tls-cert': certFile, 'tls-key': keyFile, 'tls-client-ca': clientCa }: ListenerObject,
  address: Address,
  general: TlsDefaults,
  bad: (why: string) => ConfigError,
): TlsFiles | null {
  if (!usesTls(address)) {
    if ((certFile ?? keyFile ?? clientCa) !== undefined)
      throw bad('tls-cert, tls-key and tls-client-ca are for addresses with TLS, such as tls://, wss:// and https://');
    return null;
  }
  if (certFile === undefined && keyFile !== undefined) throw bad('tls-key without tls-cert');
  if (certFile !== undefined && keyFile === undefined) throw bad('tls-cert without tls-key');
  const certificate = certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : general.certificate;
  return certificate && { ...certificate, clientCaFile: clientCa ?? general.clientCaFile };
}
