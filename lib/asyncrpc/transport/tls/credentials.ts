import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { BakeservError, ConfigError, reasonOf } from '../../../errors.ts';
import { readAuthorities } from '../authorities.ts';
import { readPrivateFile } from '../private-file.ts';

/** A certificate with those that lead to its authority, and its key; PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a listener with TLS needs. */
export interface TlsFiles extends CertificateFiles {
  /** The authorities of its clients, who must then have a certificate; null: clients need none. */
  readonly clientCaFile: string | null;
}

/** What was read from the files of a listener. */
export interface ServerCredentials {
  readonly context: tls.SecureContext;
  readonly expires: Date;
  /** The same for the same contents of the files. */
  readonly digest: string;
}

/** The texts of a certificate and its key, as TLS takes them. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
}

/** SSL_OP_NO_RENEGOTIATION of OpenSSL, which Node.js has no name for: renegotiating costs a client nothing. */
const NO_RENEGOTIATION = 1 << 30;

export const OLDEST_TLS = 'TLSv1.2';

/**
 * Reads and checks the files of a listener.
 * @throws ConfigError with everything that is wrong, naming the files
 */
export function readServerCredentials(files: TlsFiles, now = Date.now()): ServerCredentials {
  const { certFile, keyFile, clientCaFile } = files;
  const faults = new Faults();
  const pair = readPair(files, faults, now);
  const ca = clientCaFile === null ? undefined : faults.tried(() => readUsableAuthorities(clientCaFile));
  faults.end();
  try {
    const context = tls.createSecureContext({
      cert: pair!.cert,
      key: pair!.key,
      ...(ca && { ca }),
      minVersion: OLDEST_TLS,
      secureOptions: NO_RENEGOTIATION,
      honorCipherOrder: true,
      // Without it OpenSSL resumes no session that has a client certificate.
      sessionIdContext: 'bakeserv',
    });
    const digest = createHash('sha256')
      .update(JSON.stringify([pair!.cert, pair!.key, ca]))
      .digest('hex');
    return { context, expires: pair!.expires, digest };
  } catch (error) {
    throw new ConfigError(`cannot use the certificate ${certFile} with the key ${keyFile}: ${reasonOf(error)}`, error);
  }
}

/**
 * A certificate that a client shows to servers, and its key.
 * @throws ConfigError with everything that is wrong, naming the files
 */
export function readClientCertificate(files: CertificateFiles, now = Date.now()): CertificateTexts {
  const faults = new Faults();
  const pair = readPair(files, faults, now);
  faults.end();
  return pair!;
}

/** What is wrong with several files, so that one start tells all of it. */
class Faults {
  private readonly found: string[] = [];

  tried<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BakeservError)) throw error;
      this.found.push(error.message);
      return undefined;
    }
  }

  /** @throws ConfigError with all of them, if there are any */
  end(): void {
    if (this.found.length > 0) throw new ConfigError(this.found.join('; '));
  }
}

interface Pair extends CertificateTexts {
  readonly expires: Date;
}

function readPair({ certFile, keyFile }: CertificateFiles, faults: Faults, now: number): Pair | undefined {
  const certificate = faults.tried(() => readCertificate(certFile, now));
  const key = faults.tried(() => readKey(keyFile));
  if (!certificate || !key) return undefined;
  return faults.tried(() => {
    if (!certificate.leaf.checkPrivateKey(key.object))
      throw new ConfigError(
        `the key ${keyFile} is not that of the certificate ${certFile}: they must be issued together`,
      );
    return { cert: certificate.text, key: key.text, expires: new Date(certificate.leaf.validTo) };
  });
}

/** The first certificate of a file is its owner's; those that follow lead to the authority. */
function readCertificate(file: string, now: number): { text: string; leaf: X509Certificate } {
  const { text, certificates } = parseCertificates(file);
  const leaf = certificates[0]!;
  if (Date.parse(leaf.validTo) <= now) throw new ConfigError(`the certificate ${file} expired on ${day(leaf.validTo)}`);
  if (Date.parse(leaf.validFrom) > now)
    throw new ConfigError(`the certificate ${file} is not valid before ${day(leaf.validFrom)}: is the clock right?`);
  return { text, leaf };
}

function readUsableAuthorities(file: string): string {
  return parseCertificates(file).text;
}

const CERTIFICATE = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (TRUSTED |X509 )?CERTIFICATE-----/g;

function parseCertificates(file: string): { text: string; certificates: readonly X509Certificate[] } {
  const text = readAuthorities(file);
  try {
    const certificates = [...text.matchAll(CERTIFICATE)].map(([block]) => new X509Certificate(block));
    if (certificates.length > 0) return { text, certificates };
  } catch (error) {
    throw new ConfigError(`${file} holds a certificate that cannot be read: is it cut off?`, error);
  }
  throw new ConfigError(`${file} holds a certificate without an end: is it cut off?`);
}

function readKey(file: string): { text: string; object: KeyObject } {
  const text = readPrivateFile(file, 'TLS key');
  if (!text.includes('PRIVATE KEY-----')) {
    const found = text.includes('CERTIFICATE-----') ? 'a certificate and no private key' : 'no private key';
    throw new ConfigError(`${file} holds ${found}: a PEM file with "-----BEGIN PRIVATE KEY-----" was expected`);
  }
  if (/ENCRYPTED/.test(text))
    throw new ConfigError(
      `the key ${file} is encrypted, and nobody is there to give its passphrase: write it without one (openssl pkey -in ${file} -out NEW) and protect the file instead`,
    );
  try {
    return { text, object: createPrivateKey(text) };
  } catch (error) {
    throw new ConfigError(`the private key in ${file} cannot be read: is it cut off?`, error);
  }
}

const day = (date: string) => new Date(date).toISOString().slice(0, 10);
