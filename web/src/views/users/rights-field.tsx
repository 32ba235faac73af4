import { PERMISSIONS } from '../../api/users.ts';
import { Tick } from '../../parts/field.tsx';

const MEANINGS: Readonly<Record<string, string>> = {
  '@read': 'look up hashes, and see most of this page',
  '@report': 'report what was built',
  '@db-admin': 'remove, collect garbage, start jobs',
  '@user-admin': 'make, change and delete users',
  '@all': 'everything, also what comes later',
};

interface RightsFieldProps {
  readonly rights: readonly string[];
  onChange(rights: string[]): void;
}

/** Rights to tick, each with what it is for. */
export function RightsField({ rights, onChange }: RightsFieldProps) {
  return (
    <fieldset class="ticks">
      <legend>Rights</legend>
      {PERMISSIONS.map((name) => (
        <Tick
          key={name}
          label={name}
          hint={MEANINGS[name] ?? ''}
          checked={rights.includes(name)}
          onChange={(checked) => onChange(checked ? [...rights, name] : rights.filter((each) => each !== name))}
        />
      ))}
    </fieldset>
  );
}
