import type { ThemeChoice } from '../state/theme.ts';

const CHOICES: readonly (readonly [ThemeChoice, string])[] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

interface ThemeSwitchProps {
  readonly choice: ThemeChoice;
  onChoice(choice: ThemeChoice): void;
}

export function ThemeSwitch({ choice, onChoice }: ThemeSwitchProps) {
  return (
    <label class="theme">
      <span class="small muted">Colours</span>
      <select value={choice} onChange={(event) => onChoice(event.currentTarget.value as ThemeChoice)}>
        {CHOICES.map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
