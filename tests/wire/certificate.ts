import crypto, { type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Distinguished encoding of ASN.1: a tag, a length, the content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...content: Buffer[]) => der(0x30, ...content);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const time = (ms: number) =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content);
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x04, value));
const nameOf = (commonName: string) =>
  sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));

const COMMON_NAME = '550403';
const SUBJECT_ALTERNATIVE_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';

const DAY_MS = 86_400_000;

/** A certificate and its key, both PEM, and what issues others with it. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names it is for. */
  readonly hosts?: readonly string[];
  /** Itself without one. */
  readonly issuer?: Certificate;
  /** From now; also before now. */
  readonly days?: number;
}

let serial = 1;

/** A certificate (RFC 5280), valid from 30 days ago; an authority where it is its own issuer. */
export function issue({ commonName, hosts = [], issuer, days = 30 }: CertificateRequest): Certificate {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const now = Date.now();
  const names = hosts.map((host) => der(0x82, Buffer.from(host)));
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([serial++ % 128])),
    algorithm,
    nameOf(issuer?.commonName ?? commonName),
    sequence(time(now - 30 * DAY_MS), time(now + days * DAY_MS)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        ...(names.length > 0 ? [extension(SUBJECT_ALTERNATIVE_NAME, sequence(...names))] : []),
        extension(BASIC_CONSTRAINTS, issuer ? sequence() : sequence(der(0x01, Buffer.from([0xff])))),
      ),
    ),
  );
  const signature = crypto.sign('sha256', signed, issuer?.privateKey ?? privateKey);
  const base64 = sequence(signed, algorithm, bits(signature))
    .toString('base64')
    .replace(/(.{64})/g, '$1\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    commonName,
    privateKey,
  };
}

/** A self-signed certificate for one DNS name. */
export function selfSignedCertificate(host: string): Certificate {
  return issue({ commonName: host, hosts: [host] });
}

/** Writes a certificate and its key as PEM files; the key is for its owner. */
export function writeCertificate(
  folder: string,
  name: string,
  { cert, key }: Certificate,
): { certFile: string; keyFile: string } {
  const [certFile, keyFile] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  fs.writeFileSync(certFile, cert);
  fs.writeFileSync(keyFile, key);
  fs.chmodSync(keyFile, 0o600);
  return { certFile, keyFile };
}
