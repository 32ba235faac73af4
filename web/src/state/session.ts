import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from '../api/session.ts';

/** Which parts of the page a visitor gets to see: those whose requests would be answered. */
export interface May {
  readonly overview: boolean;
  readonly lookup: boolean;
  readonly packages: boolean;
  readonly insights: boolean;
  readonly jobs: boolean;
  readonly hashJobs: boolean;
  readonly prJobs: boolean;
  readonly gc: boolean;
  readonly pull: boolean;
  readonly compareSharedState: boolean;
  readonly users: boolean;
  /** All commands of the protocol that are open. */
  readonly commands: ReadonlySet<string>;
}

const NOTHING: May = {
  overview: false,
  lookup: false,
  packages: false,
  insights: false,
  jobs: false,
  hashJobs: false,
  prJobs: false,
  gc: false,
  pull: false,
  compareSharedState: false,
  users: false,
  commands: new Set(),
};

export function mayOf(session: Session | null): May {
  if (!session) return NOTHING;
  const { hashserv = [], prserv = [] } = session.may;
  // How the server is, is told to whoever may look hashes up; where there are none, to everybody.
  const overview = session.may.hashserv ? hashserv.includes('get') : prserv.length > 0;
  return {
    overview,
    lookup: hashserv.includes('find-task'),
    packages: prserv.includes('find-packages'),
    insights: [...hashserv, ...prserv].some((command) => command.startsWith('insight-')),
    jobs: hashserv.includes('job-list') || prserv.includes('job-list'),
    hashJobs: hashserv.includes('job-list'),
    prJobs: prserv.includes('job-list'),
    gc: hashserv.includes('job-start') && hashserv.includes('gc-status'),
    pull: session.pull_from.length > 0,
    compareSharedState: session.shared_state,
    users: hashserv.includes('get-all-users'),
    commands: new Set([...hashserv, ...prserv]),
  };
}

export interface SessionContext {
  /** Null: it is not known yet. */
  readonly session: Session | null;
  /** Whoever signed in or out: everything is asked for again. */
  changed(): void;
}

export const SessionState = createContext<SessionContext>({ session: null, changed() {} });

export const useMay = (): May => mayOf(useContext(SessionState).session);
