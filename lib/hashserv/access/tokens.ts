import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 48;
const SALT_BYTES = 8;

/** A token of 48 random bytes: base64 with `.` and `_` for `+` and `/`, so that it fits a netrc and a URL. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64').replaceAll('+', '.').replaceAll('/', '_');
}

/** A token as it is stored: `sha256:<salt hex>:<hex sha256(salt text + token text)>`. */
export function hashToken(token: string, salt = randomBytes(SALT_BYTES).toString('hex')): string {
  return `sha256:${salt}:${createHash('sha256').update(salt).update(token).digest('hex')}`;
}

/** Compared with when there is no such user, so that a wrong name costs as much work as a wrong token. */
const NOBODY = hashToken(newToken());

/** Whether the token is the stored one; `stored` is null for an unknown user. Takes the same time either way. */
export function verifyToken(token: string, stored: string | null): boolean {
  const [algorithm, salt] = (stored ?? NOBODY).split(':');
  const expected = Buffer.from(stored ?? NOBODY);
  const actual = Buffer.from(hashToken(token, salt ?? ''));
  const same = expected.length === actual.length && timingSafeEqual(expected, actual);
  return same && stored !== null && algorithm === 'sha256';
}
