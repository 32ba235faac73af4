import { InvokeError, StorageError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { JobArchive, JobRecords } from './records.ts';

/** After a failure it is not tried again for this long, however many ask. */
const AGAIN_MS = 1000;

/** The records of a server, which are opened when first something is asked of them. */
export interface OpeningRecords {
  /** False as long as there cannot be a job. */
  mayExist(): boolean;
  /**
   * Asks something of them.
   * @throws InvokeError in words for clients, after it was logged
   */
  use<T>(ask: (records: JobRecords) => Promise<T>): Promise<T>;
  /** Nothing can be asked of them any more. */
  readonly isClosed: boolean;
  /** They are opened again by the next `use`, unless that is refused from now on. */
  close(forGood: boolean): Promise<void>;
}

export function openRecords(archive: JobArchive, log: Logger): OpeningRecords {
  let records: Promise<JobRecords> | null = null;
  let closed = false;
  let failure: { readonly error: unknown; readonly at: number } | null = null;

  function refusal(error: unknown): unknown {
    if (!(error instanceof StorageError)) return error;
    log.error('the jobs database cannot be used: jobs are refused, everything else goes on', { error });
    const text = `there are no jobs at the moment, the jobs database cannot be used: ${error.clientText}; the server's log has the details`;
    return new InvokeError(text, error, 'unavailable');
  }

  async function open(): Promise<JobRecords> {
    try {
      return await archive.open();
    } catch (error) {
      records = null;
      failure = { error: refusal(error), at: performance.now() };
      throw failure.error;
    }
  }

  async function opened(): Promise<JobRecords> {
    if (closed) throw new InvokeError('the server is stopping', undefined, 'unavailable');
    if (failure && performance.now() - failure.at < AGAIN_MS) throw failure.error;
    failure = null;
    records ??= open();
    return records;
  }

  return {
    mayExist: () => records !== null || archive.exists(),
    get isClosed() {
      return closed;
    },
    async use(ask) {
      const open = await opened();
      try {
        return await ask(open);
      } catch (error) {
        throw refusal(error);
      }
    },
    async close(forGood) {
      closed ||= forGood;
      const open = records;
      records = null;
      await open?.then(
        (each) => each.close(),
        () => {},
      );
    },
  };
}
