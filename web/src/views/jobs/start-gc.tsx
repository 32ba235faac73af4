import { useState } from 'preact/hooks';
import type { Api } from '../../api/client.ts';
import { count, counted, percent } from '../../format/numbers.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Badge } from '../../parts/panel.tsx';
import { FailureBox, Loaded } from '../../parts/states.tsx';
import { Text } from '../../parts/text.tsx';
import { useResource } from '../../state/resource.ts';
import { GcMark } from './gc-mark.tsx';
import { useStart } from './use-start.ts';

interface GcStatus {
  readonly keep: number;
  readonly remove: number;
  readonly mark: string | null;
}

const getGc = (api: Api, signal: AbortSignal) => api.ask<GcStatus>('GET', ['gc'], { signal });

/** Collecting garbage: what that would remove is shown first, and no more than that is removed. */
export function StartGc({ onClose }: { readonly onClose: () => void }) {
  const status = useResource('gc', getGc);
  return (
    <Dialog title="Collect garbage" onClose={onClose}>
      <Loaded resource={status} what="Counting what would be removed">
        {(gc) => (gc.mark === null ? <GcMark onClose={onClose} /> : <Sweep gc={gc} mark={gc.mark} onClose={onClose} />)}
      </Loaded>
    </Dialog>
  );
}

function Sweep({ gc, mark, onClose }: { readonly gc: GcStatus; readonly mark: string; readonly onClose: () => void }) {
  const [days, setDays] = useState('0');
  const { isBusy, failure, start } = useStart('hashserv', onClose);
  const all = gc.keep + gc.remove;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        // What is removed is at most what was shown here: the server refuses a sweep of more.
        void start('gc', { mark, remove: gc.remove, max_age_seconds: Math.round(Number(days) * 86_400) });
      }}
    >
      <p>
        What has the mark{' '}
        <Badge>
          <Text value={mark} most={60} />
        </Badge>{' '}
        is kept, all other tasks are removed.
      </p>
      <dl class="stats">
        <div class="stat">
          <dt>Would keep</dt>
          <dd class="stat-value">{count(gc.keep)}</dd>
        </div>
        <div class="stat">
          <dt>Would remove</dt>
          <dd>
            <span class="stat-value">{count(gc.remove)}</span>{' '}
            <span class="stat-note">{percent(gc.remove, all)} of all tasks</span>
          </dd>
        </div>
      </dl>
      <Field
        label="Then remove reports without a task that are older than (days)"
        hint="A report whose task has no unihash any more is of no use; younger ones stay."
      >
        {(ids) => (
          <input
            {...ids}
            type="number"
            min={0}
            max={36_500}
            step="any"
            required
            value={days}
            onInput={(event) => setDays(event.currentTarget.value)}
          />
        )}
      </Field>
      {failure && <FailureBox failure={failure} />}
      <div class="actions">
        <button type="submit" class="danger" disabled={isBusy}>
          Remove {counted(gc.remove, 'task')}
        </button>
        <button type="button" onClick={onClose}>
          Remove nothing
        </button>
      </div>
    </form>
  );
}
