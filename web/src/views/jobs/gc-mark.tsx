import { useState } from 'preact/hooks';
import { Field } from '../../parts/field.tsx';
import { FailureBox } from '../../parts/states.tsx';
import { useStart } from './use-start.ts';

/** No mark is set, so nothing can be swept yet: marking what to keep is the first half of a collection. */
export function GcMark({ onClose }: { readonly onClose: () => void }) {
  const [mark, setMark] = useState('');
  const [column, setColumn] = useState('method');
  const [value, setValue] = useState('');
  const { isBusy, failure, start } = useStart('hashserv', onClose);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void start('gc-mark', { mark, where: { [column]: value.trim() } });
      }}
    >
      <p>
        First what is kept gets a mark; a second step then shows what has none, and removes it. Nothing is removed now.
        To mark what a shared state holds, <code>bakeserv-hashclient gc-mark-stream</code> reads its hashes from a list.
      </p>
      <Field label="Mark" hint="Any name, for example the date.">
        {(ids) => (
          <input
            {...ids}
            required
            maxLength={256}
            value={mark}
            onInput={(event) => setMark(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Keep tasks whose">
        {(ids) => (
          <select {...ids} value={column} onChange={(event) => setColumn(event.currentTarget.value)}>
            <option value="method">method is</option>
            <option value="taskhash">taskhash is</option>
            <option value="unihash">unihash is</option>
          </select>
        )}
      </Field>
      <Field label="Value">
        {(ids) => (
          <input
            {...ids}
            required
            maxLength={1024}
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        )}
      </Field>
      {failure && <FailureBox failure={failure} />}
      <div class="actions">
        <button type="submit" class="main" disabled={isBusy}>
          Mark what is kept
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
