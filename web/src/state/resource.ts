import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { Failure } from '../api/failure.ts';
import { Server } from './server.ts';
import { SessionState } from './session.ts';

/** What was asked of the server, as far as it is known. */
export interface Resource<T> {
  /** Stays while it is asked for again, and while the server is away; null: it never came, or was of another question. */
  readonly data: T | null;
  readonly failure: Failure | null;
  readonly isLoading: boolean;
  reload(): void;
}

export interface ResourceOptions {
  /** Asks again this long after each answer, while the page is visible. */
  readonly everyMs?: number | null;
}

interface Held<T> {
  readonly key: string | null;
  readonly data: T | null;
  readonly failure: Failure | null;
  readonly isLoading: boolean;
}

/**
 * Asks the server when a view opens, when the question changes, when the server is back, and again and again if that is wanted.
 * @param key names the question; null asks nothing
 */
export function useResource<T>(
  key: string | null,
  load: (api: Api, signal: AbortSignal) => Promise<T>,
  { everyMs = null }: ResourceOptions = {},
): Resource<T> {
  const { api, reach } = useContext(Server);
  const visitor = useContext(SessionState);
  const [held, setHeld] = useState<Held<T>>({ key, data: null, failure: null, isLoading: key !== null });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const signedOut = useRef(() => {});
  // The session is over, or the user is gone: the page shows what is open to everybody.
  signedOut.current = () => visitor.session?.user != null && visitor.changed();

  useEffect(() => {
    if (key === null) return setHeld({ key, data: null, failure: null, isLoading: false });
    const gone = new AbortController();
    const same = (before: Held<T>) => (before.key === key ? before.data : null);
    let endWait = () => {};
    const ask = async () => {
      setHeld((before) => ({
        key,
        data: same(before),
        failure: before.key === key ? before.failure : null,
        isLoading: true,
      }));
      try {
        const data = await latest.current(api, gone.signal);
        if (!gone.signal.aborted) setHeld({ key, data, failure: null, isLoading: false });
      } catch (error) {
        if (gone.signal.aborted) return;
        const failure = error instanceof Failure ? error : new Failure('server', String(error), error);
        setHeld((before) => ({ key, data: same(before), failure, isLoading: false }));
        if (failure.kind === 'sign-in') signedOut.current();
      }
      if (everyMs !== null && !gone.signal.aborted) endWait = whenVisible(everyMs, ask);
    };
    void ask();
    return () => {
      gone.abort();
      endWait();
    };
  }, [key, everyMs, round, reach.generation, api]);

  const current = held.key === key ? held : { data: null, failure: null, isLoading: key !== null };
  return {
    data: current.data,
    failure: current.failure,
    isLoading: current.isLoading,
    reload: () => setRound((n) => n + 1),
  };
}

/** Waits, and then until somebody looks. */
function whenVisible(ms: number, then: () => void): () => void {
  const look = () => {
    if (document.hidden) return;
    document.removeEventListener('visibilitychange', look);
    then();
  };
  const timer = setTimeout(() => {
    document.addEventListener('visibilitychange', look);
    look();
  }, ms);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}
