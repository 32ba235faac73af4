import fs from 'node:fs';
import { AddressError, reasonOf } from '../../errors.ts';

/**
 * The text of a PEM file of certificate authorities.
 * @throws AddressError when it cannot be read or has no certificate in it; the message names it
 */
export function readAuthorities(file: string): string {
  let text: string;
  try {
    text = fs.readFileSync(file, 'latin1');
  } catch (error) {
    throw new AddressError(`cannot read certificates from ${file}: ${reasonOf(error)}`, error);
  }
  if (/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(text)) return text;
  const found = text.includes('PRIVATE KEY-----') ? 'a private key and no certificate' : 'no certificate';
  throw new AddressError(`${file} holds ${found}: a PEM file with "-----BEGIN CERTIFICATE-----" was expected`);
}
