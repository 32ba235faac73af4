import type { Output } from '../../api/diff.ts';
import { cut, shortHash, visible } from '../../format/text.ts';
import { dateTime, parseTime } from '../../format/time.ts';
import { Field } from '../../parts/field.tsx';

interface OutputsProps {
  readonly outputs: readonly Output[];
  readonly first: Output;
  readonly second: Output;
  onChoose(first: string, second: string): void;
}

/** Which two of the outputs of a task are compared. Whoever chooses the same for both exchanges them. */
export function Outputs({ outputs, first, second, onChoose }: OutputsProps) {
  const known = outputs.filter(({ siginfo_bytes: size }) => size !== null);
  const chooseFirst = (next: string) => onChoose(next, next === second.outhash ? first.outhash : second.outhash);
  const chooseSecond = (next: string) => onChoose(next === first.outhash ? second.outhash : first.outhash, next);
  return (
    <div class="pair">
      <Field label="First build">
        {(ids) => <OutputSelect ids={ids} outputs={known} value={first} onChoose={chooseFirst} />}
      </Field>
      <Field label="Second build">
        {(ids) => <OutputSelect ids={ids} outputs={known} value={second} onChoose={chooseSecond} />}
      </Field>
    </div>
  );
}

interface OutputSelectProps {
  readonly ids: object;
  readonly outputs: readonly Output[];
  readonly value: Output;
  onChoose(outhash: string): void;
}

function OutputSelect({ ids, outputs, value, onChoose }: OutputSelectProps) {
  return (
    <select {...ids} value={value.outhash} onChange={(event) => onChoose(event.currentTarget.value)}>
      {outputs.map((output) => (
        <option key={output.outhash} value={output.outhash}>
          {nameOf(output)}
        </option>
      ))}
    </select>
  );
}

/** When it was reported and by whom: nobody knows a build by its hash. */
function nameOf({ created, owner, outhash }: Output): string {
  const at = parseTime(created);
  const parts = [at === null ? null : dateTime(at), owner && visible(cut(owner, 40).text), visible(shortHash(outhash))];
  return parts.filter(Boolean).join(' · ');
}
