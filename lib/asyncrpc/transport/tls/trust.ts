import { createHash } from 'node:crypto';
import fs from 'node:fs';
import tls from 'node:tls';
import { ConfigError, reasonOf } from '../../../errors.ts';
import { readAuthorities } from '../authorities.ts';
import { OLDEST_TLS, readClientCertificate } from './credentials.ts';

/** Whom a client trusts over TLS, and what it shows; PEM files. */
export interface TlsTrust {
  /** Certificate authorities to trust in addition to the system's. */
  readonly caFile?: string | null | undefined;
  /** Its certificate and the key of that, for a server that asks for one. */
  readonly certFile?: string | null | undefined;
  readonly keyFile?: string | null | undefined;
  /** Whoever answers will do. */
  readonly anyServer?: boolean;
}

/**
 * What was made of the same texts, by their digest: to parse the authorities of a system takes 25 ms, in which a server that
 * dials its upstream answers nobody.
 */
const contexts = new Map<string, tls.SecureContext>();
/** As many as a server has upstreams and sources that trust different authorities, and some. */
const MAX_CONTEXTS = 8;

/**
 * The same as TLS takes it; the files are read again for each connection, so that a new certificate needs no restart.
 * @throws ConfigError, AddressError naming a file that cannot be used
 */
export function clientTls({ caFile, certFile, keyFile, anyServer = false }: TlsTrust): tls.ConnectionOptions {
  if (!certFile !== !keyFile)
    throw new ConfigError(
      certFile
        ? `the certificate ${certFile} is given without its key`
        : `the key ${keyFile} is given without its certificate`,
    );
  const own = certFile && keyFile ? readClientCertificate({ certFile, keyFile }) : {};
  if (anyServer) return { secureContext: contextOf(own), rejectUnauthorized: false };
  return { secureContext: contextOf({ ...own, ca: trustedAuthorities(caFile) }) };
}

function contextOf(texts: { cert?: string; key?: string; ca?: string[] }): tls.SecureContext {
  const hash = createHash('sha256');
  for (const text of [texts.cert ?? '', texts.key ?? '', ...(texts.ca ?? [])])
    hash.update(`${text.length} `).update(text);
  const digest = hash.digest('base64');
  let context = contexts.get(digest);
  contexts.delete(digest);
  context ??= tls.createSecureContext({ ...texts, minVersion: OLDEST_TLS });
  contexts.set(digest, context);
  if (contexts.size > MAX_CONTEXTS) contexts.delete(contexts.keys().next().value!);
  return context;
}

/** Why TLS with a server did not come about, and what to do; null where the reason is another. */
export function explainTls(error: Error & { code?: string | undefined }): string | null {
  const { code = '' } = error;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another host (${error.message})`;
  if (/wrong version number|packet length too long/.test(error.message)) return 'it does not speak TLS';
  if (/:SSL routines:/.test(error.message)) return reasonOf(error);
  if (/CERT|SIGNATURE|ISSUER/.test(code))
    return `its certificate is not trusted (${error.message}); name the authority that issued it with --ca FILE`;
  return null;
}

/** Where Linux distributions and the BSDs keep the certificate authorities they trust. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The authorities of the system (of `$SSL_CERT_FILE` if that is set, of Node.js if the system has none), those of
 * `$NODE_EXTRA_CA_CERTS`, and those of the file: naming one adds to the others.
 */
function trustedAuthorities(caFile: string | null | undefined): string[] {
  const system = [process.env.SSL_CERT_FILE, ...SYSTEM_BUNDLES].find((file) => file && fs.existsSync(file));
  const authorities = system ? [readAuthorities(system)] : [...tls.rootCertificates];
  if (process.env.NODE_EXTRA_CA_CERTS) authorities.push(readAuthorities(process.env.NODE_EXTRA_CA_CERTS));
  if (caFile) authorities.push(readAuthorities(caFile));
  return authorities;
}
