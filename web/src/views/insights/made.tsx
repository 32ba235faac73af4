import { Time } from '../../parts/time.tsx';

/** When an insight was worked out: whoever asks again soon gets the same answer. */
export function MadeAt({ made, again }: { readonly made: string; readonly again: () => void }) {
  return (
    <p class="muted small">
      As of <Time at={made} relative />.{' '}
      <button type="button" class="link" onClick={again}>
        Ask again
      </button>
    </p>
  );
}
