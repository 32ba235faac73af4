import { createContext } from 'preact';
import type { Api } from '../api/client.ts';
import type { ReachState } from './reach.ts';

/** How parts of the page ask the server. */
export interface ServerContext {
  readonly api: Api;
  readonly reach: ReachState;
}

const unset: Api = {
  ask() {
    throw new Error('the page is not put together');
  },
};

export const Server = createContext<ServerContext>({ api: unset, reach: { isAway: false, generation: 0 } });
