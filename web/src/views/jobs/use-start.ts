import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { Failure } from '../../api/failure.ts';
import { getJob, isOver, type Job, type JobService, startJob } from '../../api/jobs.ts';
import { address } from '../../route.ts';
import { Server } from '../../state/server.ts';
import { goTo } from '../../state/use-route.ts';

const LOOK_MS = 500;

/** Starting a job from a dialog: whether that goes on, and what went wrong. */
export interface Start {
  readonly isBusy: boolean;
  readonly failure: Failure | null;
  /** Starts it and goes to it. */
  start(kind: string, parameters: object): Promise<void>;
  /** Starts one that only looks, and waits for its end. */
  preview(kind: string, parameters: object, onLook: (job: Job) => void): Promise<void>;
}

export function useStart(service: JobService, onStarted: () => void): Start {
  const { api } = useContext(Server);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const gone = useRef(new AbortController());
  // Whoever closes the dialog waits for nothing any more; the job goes on.
  useEffect(() => () => gone.current.abort(), []);
  const attempt = async (task: () => Promise<void>) => {
    setBusy(true);
    setFailure(null);
    try {
      await task();
    } catch (error) {
      if (gone.current.signal.aborted) return;
      setFailure(error instanceof Failure ? error : new Failure('server', String(error), error));
    } finally {
      setBusy(false);
    }
  };
  return {
    isBusy,
    failure,
    start: (kind, parameters) =>
      attempt(async () => {
        const { id } = await startJob(api, service, kind, parameters);
        onStarted();
        goTo(address(['job', id], { service }));
      }),
    preview: (kind, parameters, onLook) =>
      attempt(async () => {
        const { id } = await startJob(api, service, kind, parameters);
        for (;;) {
          const job = await getJob(api, service, id, gone.current.signal);
          onLook(job);
          if (isOver(job) || gone.current.signal.aborted) return;
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
      }),
  };
}
