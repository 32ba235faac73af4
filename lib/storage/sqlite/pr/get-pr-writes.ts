import type { PrAnswer, PrRequest, PrRow } from '../../../prserv/store.ts';
import type { KnownPackages } from '../../memory/known-packages.ts';
import { decideAll } from '../../memory/pr-decision.ts';
import type { Binding } from '../engine/binding.ts';
import type { WriteKind } from '../engine/submissions.ts';
import type { Writer } from '../engine/writer.ts';
import { decide } from './decide.ts';
import { encodeRows, INSERT, INSERT_IF_UNCHANGED } from './insert.ts';
import type { PackageReader } from './package-reader.ts';

const DATA_VERSION = 'SELECT data_version FROM pragma_data_version';

/**
 * Decides get-prs and stores what is new, in the writer's turn. A batch takes one thread hop where its packages are in
 * memory: the INSERT, on the condition that nobody else has committed since the memory was filled; or, if nothing is new,
 * the question whether somebody has. Where they are not, one statement more reads them. Only after a commit of others,
 * and in a transaction with writes of other kinds, it is BEGIN, one or two statements and COMMIT.
 */
export function createGetPr(writer: Writer, reader: PackageReader, known: KnownPackages) {
  /** What is in memory was read by reads that began after this connection told this data_version … */
  let version = 0;
  let versionOf: Binding | null = null;
  /** … which holds as long as the memory is of this epoch. */
  let versionEpoch = -1;
  /** Rows of a transaction of which it is not known yet whether it was committed. */
  let unconfirmed: readonly PrRow[] = [];

  const dataVersion = async (connection: Binding) =>
    (await connection.all<{ data_version: number }>(DATA_VERSION))[0]!.data_version;

  async function establish(connection: Binding): Promise<void> {
    version = await dataVersion(connection);
    // What other connections are reading at this moment may be older.
    known.forget();
    versionOf = connection;
    versionEpoch = known.epoch;
  }

  /** Null if somebody else has committed meanwhile: then nothing was done. */
  async function getPrAlone(connection: Binding, requests: readonly PrRequest[]): Promise<readonly PrAnswer[] | null> {
    if (unconfirmed.length > 0) known.forget();
    unconfirmed = [];
    // Versions of different connections cannot be compared.
    if (versionOf !== connection || versionEpoch !== known.epoch) await establish(connection);
    const reading = known.begin();
    try {
      const decided = await decide(connection, reader, requests, { known, reading }, (rows, missing) =>
        decideAll(requests, rows, missing),
      );
      const unchanged =
        decided.rows.length > 0
          ? (await connection.run(INSERT_IF_UNCHANGED, [encodeRows(decided.rows), version])) > 0
          : (await dataVersion(connection)) === version;
      if (!unchanged) {
        known.forget();
        return null;
      }
      known.add(decided.rows);
      return decided.values;
    } finally {
      known.end(reading);
      known.trim();
    }
  }

  const kind: WriteKind<PrRequest, PrAnswer> = {
    async applyAlone(connection, requests) {
      try {
        return await getPrAlone(connection, requests);
      } catch (error) {
        // It may have been done all the same.
        known.forget();
        throw error;
      }
    },
    async apply(connection, requests) {
      if (unconfirmed.length > 0) known.forget();
      unconfirmed = [];
      // This transaction may still be rolled back, or hold rows of others: nothing is kept of what is read here.
      const decided = await decide(connection, reader, requests, null, (rows, missing) =>
        decideAll(requests, rows, missing),
      );
      if (decided.rows.length > 0) await connection.run(INSERT, [encodeRows(decided.rows)]);
      unconfirmed = decided.rows;
      return decided.values;
    },
    committed() {
      known.add(unconfirmed);
      unconfirmed = [];
    },
  };

  return async (requests: readonly PrRequest[]): Promise<readonly PrAnswer[]> => {
    try {
      return await writer.submit(kind, requests, requests.length * 256);
    } catch (error) {
      known.forget();
      throw error;
    }
  };
}
