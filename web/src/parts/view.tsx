import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface ViewProps {
  readonly title: string;
  /** Beneath the title: what this is for. */
  readonly lead?: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A view with its heading, which gets the focus when the reader comes here by a link: a screen reader then says where it is. */
export function View({ title, lead, aside, children }: ViewProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – bakeserv`;
    const { activeElement } = document;
    // Not where somebody types, and not when the page has only just been opened.
    if (activeElement instanceof HTMLAnchorElement) heading.current?.focus();
  }, [title]);
  return (
    <div class="view">
      <div class="view-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {aside && <div class="panel-aside">{aside}</div>}
      </div>
      {children}
    </div>
  );
}
