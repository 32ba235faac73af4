import sqlite3 from 'sqlite3';
import { afterwards, type Context } from './helpers.ts';

/**
 * Another program on a database file: the `sqlite3` package in this process, never in the server's. Closed after the
 * test.
 */
export interface OtherProgram {
  exec(sql: string): Promise<void>;
  all<Row>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openOther(t: Context, file: string): Promise<OtherProgram> {
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)));
  });
  let open = true;
  const other: OtherProgram = {
    exec: (sql) => new Promise((resolve, reject) => database.exec(sql, (error) => (error ? reject(error) : resolve()))),
    all: <Row>(sql: string) =>
      new Promise<Row[]>((resolve, reject) =>
        database.all<Row>(sql, (error, rows) => (error ? reject(error) : resolve(rows))),
      ),
    async close() {
      if (!open) return;
      open = false;
      await new Promise<void>((resolve, reject) => database.close((error) => (error ? reject(error) : resolve())));
    },
  };
  afterwards(t, () => other.close());
  return other;
}
