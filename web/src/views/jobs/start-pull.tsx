import { useState } from 'preact/hooks';
import type { Job } from '../../api/jobs.ts';
import { counted } from '../../format/numbers.ts';
import { visible } from '../../format/text.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, Tick } from '../../parts/field.tsx';
import { FailureBox } from '../../parts/states.tsx';
import { Text } from '../../parts/text.tsx';
import { JobProgress } from './job-progress.tsx';
import { JobResult } from './job-result.tsx';
import { useStart } from './use-start.ts';

/** Taking what another server has. It looks first; what it would do is shown before anything is written. */
export function StartPull({ onClose, sources }: { readonly onClose: () => void; readonly sources: readonly string[] }) {
  const [source, setSource] = useState(sources[0] ?? '');
  const [hashes, setHashes] = useState(true);
  const [prs, setPrs] = useState(true);
  const [packages, setPackages] = useState('');
  const [onConflict, setOnConflict] = useState('fail');
  const [look, setLook] = useState<Job | null>(null);
  const { isBusy, failure, start, preview } = useStart('hashserv', onClose);
  const parameters = {
    source,
    hashes,
    prs,
    ...(packages.trim() && { packages: packages.trim() }),
    ...(prs && { on_conflict: onConflict }),
  };
  const isSeen = look !== null && look.state === 'done' && !isBusy;
  const isStopped = isSeen && onConflict === 'fail' && conflictsOf(look) > 0;
  const change =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value);
      // What was shown is of another question.
      setLook(null);
    };
  return (
    <Dialog title="Pull from another server" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isSeen) void start('pull', parameters);
          else void preview('pull', { ...parameters, dry_run: true }, setLook);
        }}
      >
        <Field label="Source" hint="Servers that the settings of this one name (--page-pull-from).">
          {(ids) => (
            <select {...ids} value={source} onChange={(event) => change(setSource)(event.currentTarget.value)}>
              {sources.map((each) => (
                <option key={each} value={each}>
                  {visible(each)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Tick label="Hash equivalence" checked={hashes} onChange={change(setHashes)} />
        <Tick label="PR values" checked={prs} onChange={change(setPrs)} />
        <Field label="Recipes" hint="Only these, such as linux-*; empty for all.">
          {(ids) => (
            <input
              {...ids}
              maxLength={1024}
              value={packages}
              onInput={(event) => change(setPackages)(event.currentTarget.value)}
            />
          )}
        </Field>
        {prs && (
          <Field label="PR values in conflict" hint="Values that mean something else here already.">
            {(ids) => (
              <select
                {...ids}
                value={onConflict}
                onChange={(event) => change(setOnConflict)(event.currentTarget.value)}
              >
                <option value="fail">pull nothing</option>
                <option value="keep">keep ours, leave those out</option>
                <option value="raise">give them larger ones</option>
              </select>
            )}
          </Field>
        )}
        {look && (
          <section aria-label="Preview">
            <JobProgress job={look} />
            {look.error && (
              <p class="notice bad">
                <Text value={look.error} most={1000} />
              </p>
            )}
            <JobResult job={look} />
            {isStopped && (
              <div class="notice warn">
                <p class="notice-title">Nothing would be pulled</p>
                <p>
                  {counted(conflictsOf(look), 'PR value')} there mean something else here. Choose above what becomes of
                  those, and look again.
                </p>
              </div>
            )}
          </section>
        )}
        {failure && <FailureBox failure={failure} />}
        <div class="actions">
          <button type="submit" class="main" disabled={isBusy || isStopped || !(hashes || prs)}>
            {isSeen ? 'Pull this now' : isBusy ? 'Looking…' : 'Show what it would do'}
          </button>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** How many PR values a look found to be in conflict. */
function conflictsOf({ result }: Job): number {
  const { prs } = (result ?? {}) as { readonly prs?: { readonly conflicts?: number } | null };
  return prs?.conflicts ?? 0;
}
