import type { HashStore } from '../hashserv/store.ts';
import type { TaskIndex } from '../hashserv/task-index.ts';
import type { OpenTaskSpool } from '../hashserv/task-spool.ts';
import type { OpenSpool } from '../prserv/pull/spool.ts';
import type { PrStore } from '../prserv/store.ts';
import type { Databases } from './files/open-file.ts';

/** What a pull works on; null for a service that the server does not have. */
export interface PullParts {
  readonly hashes: {
    readonly store: HashStore;
    readonly database: string;
    /** Told of each task that may have got a unihash, as a line of a stream. */
    readonly onStored: (task: string) => void;
  } | null;
  readonly prs: { readonly store: PrStore; readonly database: string } | null;
  readonly openSpool: OpenSpool;
  /** @throws StorageError when there is no room for one */
  readonly openTaskIndex: () => Promise<TaskIndex>;
  readonly databases: Databases;
  readonly openTaskSpool: OpenTaskSpool;
  readonly trust: Trust;
}

/** What a server trusts, and shows, where a pull does not say. */
export interface Trust {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}
