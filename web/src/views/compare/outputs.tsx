import type { TaskRow } from '../../api/hashes.ts';
import { cut, shortHash, visible } from '../../format/text.ts';
import { dateTime, parseTime } from '../../format/time.ts';
import { Field } from '../../parts/field.tsx';

interface OutputsProps {
  readonly outputs: readonly TaskRow[];
  readonly first: string;
  readonly second: string;
  onChoose(first: string, second: string): void;
}

/** Which two of the outputs of a task are compared. */
export function Outputs({ outputs, first, second, onChoose }: OutputsProps) {
  const known = outputs.filter(({ siginfo }) => siginfo);
  return (
    <div class="pair">
      <Field label="First build">
        {(ids) => <OutputSelect ids={ids} outputs={known} value={first} onChoose={(next) => onChoose(next, second)} />}
      </Field>
      <Field label="Second build">
        {(ids) => <OutputSelect ids={ids} outputs={known} value={second} onChoose={(next) => onChoose(first, next)} />}
      </Field>
    </div>
  );
}

interface OutputSelectProps {
  readonly ids: object;
  readonly outputs: readonly TaskRow[];
  readonly value: string;
  onChoose(outhash: string): void;
}

function OutputSelect({ ids, outputs, value, onChoose }: OutputSelectProps) {
  return (
    <select {...ids} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {!outputs.some(({ outhash }) => outhash === value) && <option value={value}>{visible(shortHash(value))}</option>}
      {outputs.map((row) => (
        <option key={row.outhash} value={row.outhash ?? ''}>
          {nameOf(row)}
        </option>
      ))}
    </select>
  );
}

/** When it was reported and by whom: nobody knows a build by its hash. */
function nameOf({ created, owner, outhash }: TaskRow): string {
  const at = parseTime(created);
  const parts = [at === null ? null : dateTime(at), owner && visible(cut(owner, 40).text), shortHash(outhash ?? '')];
  return parts.filter(Boolean).join(' · ');
}
