import { useState } from 'preact/hooks';
import { Failure } from '../../api/failure.ts';

/** Doing something once at a time: whether that goes on, and why it failed. */
export function useAttempt(): {
  readonly isBusy: boolean;
  readonly failure: Failure | null;
  attempt(task: () => Promise<void>): Promise<void>;
} {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  return {
    isBusy,
    failure,
    async attempt(task) {
      setBusy(true);
      setFailure(null);
      try {
        await task();
      } catch (error) {
        setFailure(error instanceof Failure ? error : new Failure('server', String(error), error));
      } finally {
        setBusy(false);
      }
    },
  };
}
