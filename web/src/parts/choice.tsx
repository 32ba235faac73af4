import { useId } from 'preact/hooks';

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly options: readonly (readonly [value: Value, title: string])[];
  readonly value: Value;
  onChange(value: Value): void;
}

/** One of a few: radio buttons that look like a row of buttons, so that arrow keys work as everywhere. */
export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {options.map(([each, title]) => (
        <label key={each}>
          <input type="radio" name={name} value={each} checked={each === value} onChange={() => onChange(each)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
