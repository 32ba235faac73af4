import type { ComponentChildren } from 'preact';

interface ScrollProps {
  readonly label: string;
  readonly kind?: 'short' | 'log';
  readonly children: ComponentChildren;
}

/** A box that scrolls what does not fit, also for whoever has only a keyboard. */
export function Scroll({ label, kind, children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus the arrow keys would not scroll it
    <section class={kind ? `scroll ${kind}` : 'scroll'} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
