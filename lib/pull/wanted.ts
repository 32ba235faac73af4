import { randomUUID } from 'node:crypto';
import { InvokeError } from '../errors.ts';
import { ID_NOTE } from '../hashserv/store.ts';
import type { PullParts } from './parts.ts';
import type { PullSource } from './source.ts';

/** Which of the services. */
export interface Services {
  readonly hashes: boolean;
  readonly prs: boolean;
}

/**
 * What is asked for, is there, and has a place here.
 * @param named what was asked for by name: that must be there
 * @throws InvokeError
 */
export function wantedOf(
  what: string,
  { hashes, prs }: Services,
  named: Partial<Services>,
  parts: PullParts,
  source: PullSource,
): Services {
  const wanted = {
    hashes: hashes && parts.hashes !== null && source.parts.has('unihashes'),
    prs: prs && parts.prs !== null && source.parts.has('values'),
  };
  for (const [service, text] of [
    ['hashes', 'hashes'],
    ['prs', 'PR values'],
  ] as const)
    if (named[service] && !wanted[service])
      throw new InvokeError(`${what}: ${parts[service] ? source.name : 'this server'} has no ${text}`);
  if (!wanted.hashes && !wanted.prs)
    throw new InvokeError(`${what}: ${source.name} has nothing that this server serves`);
  return wanted;
}

/**
 * By any address: a server that takes hashes from itself would wait for nothing new.
 * @param mayWrite gives our database an id where it has none
 * @returns the id of the source's database
 * @throws InvokeError
 */
export async function requireOther(
  what: string,
  { store }: NonNullable<PullParts['hashes']>,
  source: PullSource,
  mayWrite = false,
): Promise<string | null> {
  // First, so that the source has it too where it is on the same database.
  if (mayWrite && !source.isOther) await store.ensureNote(ID_NOTE, randomUUID());
  const theirs = await source.id();
  const own = source.isOther ? null : await store.note(ID_NOTE);
  if (own !== null && own === theirs)
    throw new InvokeError(`${what}: ${source.name} is on the database of this server`);
  return theirs;
}
