import type { PostgresSchema } from '../engine/schema.ts';

/**
 * The tables of a BitBake hash server on PostgreSQL, so that a database can be taken over and given back.
 * Names in capitals are quoted, as they were when they were made.
 */
const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS unihashes_v3 (
  id serial PRIMARY KEY,
  method text NOT NULL,
  taskhash text NOT NULL,
  unihash text NOT NULL,
  gc_mark text NOT NULL,
  UNIQUE (method, taskhash)
)`,
  `CREATE TABLE IF NOT EXISTS outhashes_v2 (
  id serial PRIMARY KEY,
  method text NOT NULL,
  taskhash text NOT NULL,
  outhash text NOT NULL,
  created timestamp,
  owner text,
  "PN" text,
  "PV" text,
  "PR" text,
  task text,
  outhash_siginfo text,
  UNIQUE (method, taskhash, outhash)
)`,
  `CREATE TABLE IF NOT EXISTS users (
  id serial PRIMARY KEY,
  username text NOT NULL,
  token text NOT NULL,
  permissions text,
  UNIQUE (username)
)`,
  `CREATE TABLE IF NOT EXISTS config (
  id serial PRIMARY KEY,
  name text NOT NULL,
  value text,
  UNIQUE (name)
)`,
  'CREATE INDEX IF NOT EXISTS unihash_lookup_v1 ON unihashes_v3 (unihash)',
  'CREATE INDEX IF NOT EXISTS outhash_lookup_v3 ON outhashes_v2 (method, outhash)',
];

/** A table from before garbage collection; its rows start unmarked, and rows already in v3 win. */
const MOVE_V2: readonly string[] = [
  `INSERT INTO unihashes_v3 (method, taskhash, unihash, gc_mark)
  SELECT method, taskhash, unihash, '' FROM unihashes_v2 ORDER BY id ON CONFLICT (method, taskhash) DO NOTHING`,
  'DROP TABLE unihashes_v2',
];

/** `created` as SQLite's files have it: ISO 8601, UTC, microseconds. */
export const CREATED_TEXT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00'`;
/** Such a text as the column has it. */
export const CREATED_VALUE = (text: string) => `(CAST(${text} AS timestamptz) AT TIME ZONE 'UTC')`;

/** The mark that a row stored now gets. */
export const NEW_MARK = "coalesce((SELECT c.value FROM config c WHERE c.name = 'gc-mark'), '')";

const NAMES = ['unihashes_v3', 'outhashes_v2', 'users', 'config'];

export const HASH_SCHEMA: PostgresSchema = {
  name: 'hash equivalence',
  tables: NAMES,
  missing(present) {
    const isOld = present.has('unihashes_v2');
    // Nothing is done where all is there: that would wait for every statement under way, and hold up all others.
    if (NAMES.every((name) => present.has(name)) && !isOld) return [];
    return [...TABLES, ...(isOld ? MOVE_V2 : [])];
  },
};
