import { type FoundServer, runningServers } from '../process/control-folder.ts';
import { reaches } from './same-address.ts';

/** The server of this user with that address; null where there is none. */
export async function findServerAt(address: string): Promise<FoundServer | null> {
  const own = (await runningServers(process.env)).filter(({ isOwn }) => isOwn);
  for (const found of own) if (await answersOn(found, address)) return found;
  return null;
}

/** By whatever name of the machine. */
export async function answersOn({ status }: FoundServer, address: string): Promise<boolean> {
  if (status.addresses.includes(address)) return true;
  for (const listening of status.addresses) if (await reaches(address, listening)) return true;
  return false;
}
