import { randomUUID } from 'node:crypto';
import type { Session, Statement } from './pool.ts';
import type { CommitProof } from './transaction.ts';

/**
 * One table that BitBake's servers do not have, by which servers on one database tell each other what went:
 * `generation` rises when unihashes are removed, `users` when users change, `written:<server>` with each transaction
 * that must not be done twice.
 */
export const COHERENCE_TABLE = `
CREATE TABLE IF NOT EXISTS bakeserv_coherence (
  name text PRIMARY KEY,
  value bigint NOT NULL,
  changed timestamp NOT NULL DEFAULT now()
)`;

const RAISE: Statement = {
  name: 'bakeserv-raise',
  text: `INSERT INTO bakeserv_coherence (name, value) VALUES ($1, 1)
    ON CONFLICT (name) DO UPDATE SET value = bakeserv_coherence.value + 1, changed = now() RETURNING value`,
};

const SET: Statement = {
  name: 'bakeserv-written',
  text: `INSERT INTO bakeserv_coherence (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed = now()`,
};

/** FOR UPDATE waits for a transaction that has changed the row and is still being committed. */
const LOOK: Statement = {
  name: 'bakeserv-look',
  text: 'SELECT value FROM bakeserv_coherence WHERE name = $1 FOR UPDATE',
};

/** To be a column of another statement, so that both are of one moment. */
export const GENERATION = "coalesce((SELECT c.value FROM bakeserv_coherence c WHERE c.name = 'generation'), 0)";

export const READ_COHERENCE: Statement = {
  name: 'bakeserv-coherence',
  text: "SELECT name, value FROM bakeserv_coherence WHERE name IN ('generation', 'users')",
};

/** Unihashes were removed in this transaction: what servers hold of them is wrong once it is committed. Resolves to the new generation. */
export async function raiseGeneration(session: Session): Promise<number> {
  const [row] = await session.all<{ value: string }>(RAISE, ['generation']);
  return Number(row!.value);
}

/** Users were changed in this transaction. */
export const raiseUsers = (session: Session) => session.run(RAISE, ['users']);

/** A proof by a row of this server's own. */
export function createCommitProof(): CommitProof & { forget(session: Session): Promise<void> } {
  const name = `written:${randomUUID()}`;
  let number = 0;
  return {
    async leave(session) {
      await session.run(SET, [name, ++number]);
    },
    async find(session) {
      const [row] = await session.all<{ value: string }>(LOOK, [name]);
      return row !== undefined && Number(row.value) === number;
    },
    async forget(session) {
      const text = `DELETE FROM bakeserv_coherence WHERE name = $1 OR (name LIKE 'written:%' AND changed < now() - interval '30 days')`;
      await session.run({ name: 'bakeserv-forget', text }, [name]);
    },
  };
}
