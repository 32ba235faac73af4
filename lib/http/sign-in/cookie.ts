import { parseCookie, stringifySetCookie } from 'cookie';

/**
 * Over TLS the name begins so that browsers take it from this host alone, over TLS alone, for all of its paths: nobody else
 * can set one of this name.
 */
const NAMES = { secure: '__Host-bakeserv', plain: 'bakeserv' } as const;

const nameOf = (isSecure: boolean) => (isSecure ? NAMES.secure : NAMES.plain);

/**
 * The value of the session's cookie; null without one. Of several none is taken: a neighbour, on another port or under a name
 * that ends in this one, can set one more, and nobody can tell which is which.
 */
export function readSessionCookie(header: string | undefined, isSecure: boolean): string | null {
  if (header === undefined) return null;
  const name = nameOf(isSecure);
  const isOurs = (pair: string) => pair.trim().split('=', 1)[0]!.trim() === name;
  if (header.split(';').filter(isOurs).length !== 1) return null;
  return parseCookie(header, { decode: (text) => text })[name] || null;
}

/**
 * The header that has a browser keep the session, or forget it.
 * @param session null: there is none any more
 */
export function sessionCookie(
  session: { readonly value: string; readonly expires: Date } | null,
  isSecure: boolean,
): string {
  return stringifySetCookie({
    name: nameOf(isSecure),
    value: session?.value ?? '',
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    ...(isSecure && { secure: true }),
    ...(session ? { expires: session.expires } : { maxAge: 0 }),
  });
}
