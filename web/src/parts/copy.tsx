import { useRef, useState } from 'preact/hooks';

/** A text to take along, whole. Without the clipboard, which browsers give only to safe pages, it is selected instead. */
export function Copy({ label, value }: { readonly label: string; readonly value: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState('');
  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setTold('Copied');
    } catch {
      setTold('Selected: copy it with the keyboard');
    }
  };
  return (
    <div class="copy">
      <input
        ref={input}
        class="mono"
        readOnly
        aria-label={label}
        value={value}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" onClick={copy}>
        Copy
      </button>
      <span class="small" role="status">
        {told}
      </span>
    </div>
  );
}
