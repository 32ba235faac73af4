import { useEffect, useId, useState } from 'preact/hooks';

interface SearchFormProps {
  readonly label: string;
  readonly placeholder?: string;
  readonly value: string;
  onSearch(text: string): void;
}

/** One field and its button. What comes with a paste around the text, blanks and ends of lines, is left out. */
export function SearchForm({ label, placeholder, value, onSearch }: SearchFormProps) {
  const [text, setText] = useState(value);
  const id = useId();
  useEffect(() => setText(value), [value]);
  return (
    <search>
      <form
        class="search-form"
        onSubmit={(event) => {
          event.preventDefault();
          onSearch(text.trim());
        }}
      >
        <label for={id} class="unseen">
          {label}
        </label>
        <input
          id={id}
          type="search"
          value={text}
          placeholder={placeholder}
          maxLength={1024}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="main">
          Search
        </button>
      </form>
    </search>
  );
}
