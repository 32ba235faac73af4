import { useState } from 'preact/hooks';
import { counted } from '../format/numbers.ts';
import { cut, shortHash, visible, visibleParts } from '../format/text.ts';
import { address } from '../route.ts';

const MOST_CHARACTERS = 160;
/** What a page shows of one text however often it is asked to. */
const MOST_EVER = 100_000;

/** A text from elsewhere: it keeps its direction to itself, shows what would not be seen, and is never longer than fits. */
export function Text({ value, most = MOST_CHARACTERS }: { readonly value: string; readonly most?: number }) {
  const [isOpen, setOpen] = useState(false);
  const { text, more } = cut(value, isOpen ? MOST_EVER : most);
  return (
    <bdi>
      {visibleParts(text).map(({ text: part, isEscape }, i) =>
        isEscape ? (
          <span key={i} class="escape" title="a character that cannot be seen">
            {part}
          </span>
        ) : (
          part
        ),
      )}
      {more > 0 && (
        <>
          …{' '}
          {isOpen ? (
            <span class="muted">{counted(more, 'more character')}</span>
          ) : (
            <button type="button" class="link small" onClick={() => setOpen(true)}>
              {counted(more, 'more character')}
            </button>
          )}
        </>
      )}
    </bdi>
  );
}

/** A text, or a dash where there is none. */
export function Maybe({ value }: { readonly value: string | null | undefined }) {
  return value ? <Text value={value} /> : <span class="muted">–</span>;
}

interface HashProps {
  readonly value: string;
  /** All of it, where there is room for 64 characters. */
  readonly whole?: boolean;
  /** Where it is looked up; without it, it is no link. */
  readonly isLink?: boolean;
}

/** A hash: its beginning, with all of it in the title and behind the link. */
export function Hash({ value, whole = false, isLink = true }: HashProps) {
  const shown = whole ? cut(value, 256).text : shortHash(cut(value, 64).text);
  const text = <code class={whole ? 'hash whole' : 'hash'}>{visible(shown)}</code>;
  const title = whole ? undefined : visible(cut(value, 256).text);
  if (!isLink || !/^[0-9a-f]{64}$/.test(value)) return <span title={title}>{text}</span>;
  return (
    <a href={address(['lookup'], { q: value })} title={title}>
      {text}
    </a>
  );
}
