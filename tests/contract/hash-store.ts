import type { HashStore } from '../../lib/hashserv/store.ts';
import { hashFindContract } from './hash-find.ts';
import { hashGarbageContract } from './hash-garbage.ts';
import { hashInsightsContract } from './hash-insights.ts';
import { hashNotesContract } from './hash-notes.ts';
import { hashPromoteContract } from './hash-promote.ts';
import { hashReportsContract } from './hash-reports.ts';
import { hashSearchContract } from './hash-search.ts';
import { hashServersContract } from './hash-servers.ts';
import { hashUsersContract } from './hash-users.ts';
import type { HashDatabases, HashEngine, Running } from './helpers.ts';

/** The promises of lib/hashserv/store.ts, asked of an engine. */
export function hashStoreContract(name: string, engine: HashEngine): void {
  let made = 0;
  const newName = () => `hash-${made++}`;
  const openNew = async (t: Running, on = newName()): Promise<HashStore> => {
    const { store, close } = await engine.open(on);
    t.after(close);
    return store;
  };
  const databases: HashDatabases = { engine, newName, openNew };
  hashReportsContract(name, databases);
  hashServersContract(name, databases);
  hashGarbageContract(name, databases);
  hashUsersContract(name, databases);
  hashNotesContract(name, databases);
  hashInsightsContract(name, databases);
  hashFindContract(name, databases);
  hashSearchContract(name, databases);
  hashPromoteContract(name, databases);
}
