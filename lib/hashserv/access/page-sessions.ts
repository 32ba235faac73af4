import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { isText } from '../../asyncrpc/wire/formats.ts';
import type { HashStore, NoteName, User } from '../store.ts';
import { verifyToken } from './tokens.ts';

const LASTS_MS = 8 * 60 * 60 * 1000;
/** What one user may have at a time; the next takes the place of that which ends first. */
const SLOTS = 32;
const SECRET_BYTES = 32;

/** `NAME.SLOT.SECRET`, the name in base64url: it may hold any character. */
const VALUE = /^([\w-]{1,1400})\.(\d{1,2})\.([\w-]{43})$/;

/** Somebody is signed in. */
interface Opened {
  readonly username: string;
  readonly expires: Date;
}

export interface PageSessions {
  readonly readOnly: boolean;
  /** @param token checked once more: since the login somebody may have replaced it */
  begin(username: string, token: string): Promise<(Opened & { readonly value: string }) | null>;
  find(value: string): Promise<Opened | null>;
  end(value: string): Promise<void>;
}

/**
 * Sessions of the page, as notes in the database: all workers and servers on it know them, also after a restart. A note
 * has the digest of a secret together with the stored token of its user. So a session ends with the user, and with the token;
 * nothing in the database, in a backup or a copy is the way into one. Notes have fixed names, a few for each user: there are never
 * more of them, however often somebody signs in.
 */
export function createPageSessions(
  store: Pick<HashStore, 'readOnly' | 'findUser' | 'note' | 'setNote'>,
  now: () => number = Date.now,
): PageSessions {
  /** The session of a cookie's value, if its note still has it. */
  async function look(value: string): Promise<(Opened & { readonly name: NoteName }) | null> {
    const [, encoded, slot, secret] = VALUE.exec(value) ?? [];
    if (!encoded || Number(slot) >= SLOTS) return null;
    const username = Buffer.from(encoded, 'base64url').toString();
    // Anybody may send a cookie, and a database that takes no NUL would fail at it, with an error for each in the log.
    if (!isText(username)) return null;
    const user = await store.findUser(username);
    if (!user) return null;
    const name = noteName(user, Number(slot));
    const noted = readNote(await store.note(name));
    if (!noted || noted.expiresMs <= now()) return null;
    if (!timingSafeEqual(noted.digest, digestOf(secret!, user))) return null;
    return { username, expires: new Date(noted.expiresMs), name };
  }

  return {
    readOnly: store.readOnly,
    async begin(username, token) {
      const user = await store.findUser(username);
      if (!user || !verifyToken(token, user.token)) return null;
      const slot = await freeSlot(store, user, now());
      const secret = randomBytes(SECRET_BYTES).toString('base64url');
      const expiresMs = now() + LASTS_MS;
      await store.setNote(noteName(user, slot), `${expiresMs} ${digestOf(secret, user).toString('hex')}`);
      const value = `${Buffer.from(username).toString('base64url')}.${slot}.${secret}`;
      return { username, expires: new Date(expiresMs), value };
    },
    async find(value) {
      const found = await look(value);
      return found && { username: found.username, expires: found.expires };
    },
    async end(value) {
      const found = await look(value);
      if (found) await store.setNote(found.name, '');
    },
  };
}

/** Any of those that are free, so that two who sign in at once do not take the same; otherwise the one that ends first. */
async function freeSlot(store: Pick<HashStore, 'note'>, user: User, nowMs: number): Promise<number> {
  const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
  const ends = await Promise.all(
    slots.map(async (slot) => readNote(await store.note(noteName(user, slot)))?.expiresMs ?? 0),
  );
  const free = slots.filter((slot) => ends[slot]! <= nowMs);
  if (free.length > 0) return free[randomInt(free.length)]!;
  return ends.indexOf(Math.min(...ends));
}

/** Ids are never used again: a user who is deleted and made again has none of the sessions. */
function noteName({ id }: User, slot: number): NoteName {
  return `bakeserv-session-${id}-${slot}`;
}

function readNote(text: string | null): { readonly expiresMs: number; readonly digest: Buffer } | null {
  const [, expires, digest] = /^(\d{1,16}) ([0-9a-f]{64})$/.exec(text ?? '') ?? [];
  return expires === undefined ? null : { expiresMs: Number(expires), digest: Buffer.from(digest!, 'hex') };
}

function digestOf(secret: string, { token }: User): Buffer {
  return createHash('sha256').update(secret).update('\0').update(token).digest();
}
