import type { ComponentChildren } from 'preact';
import { useContext, useRef } from 'preact/hooks';
import type { Route } from '../route.ts';
import { Server } from '../state/server.ts';
import type { ThemeChoice } from '../state/theme.ts';
import { Nav } from './nav.tsx';
import { ThemeSwitch } from './theme-switch.tsx';
import { Visitor } from './visitor.tsx';

interface ShellProps {
  readonly route: Route;
  readonly theme: ThemeChoice;
  onTheme(choice: ThemeChoice): void;
  readonly children: ComponentChildren;
}

/** What is around every view. */
export function Shell({ route, theme, onTheme, children }: ShellProps) {
  const main = useRef<HTMLElement>(null);
  return (
    <>
      {/* No link: what stands behind the # in the address belongs to the views. */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <div class="shell">
        <header class="side">
          <a class="brand" href="#/overview">
            <Mark />
            bakeserv
          </a>
          <Nav route={route} />
          <div class="side-foot">
            <Visitor />
            <ThemeSwitch choice={theme} onChoice={onTheme} />
          </div>
        </header>
        <main id="content" ref={main} tabIndex={-1}>
          <Away />
          {children}
        </main>
      </div>
    </>
  );
}

/** Says that the server is away, and that it is back. The region is always there, or what is put into it would not be read aloud. */
function Away() {
  const { isAway } = useContext(Server).reach;
  return (
    <div role="status" aria-live="polite">
      {isAway && (
        <div class="notice bad away">
          <span class="spinner" aria-hidden="true" />
          <div>
            <p class="notice-title">The server is away</p>
            <p>Trying again until it answers. What is shown is from before.</p>
          </div>
        </div>
      )}
    </div>
  );
}

/** The sign of the program: a loaf with the cuts of a hash. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect x="2" y="6" width="28" height="20" rx="9" />
      <path d="M12 10 10 22M20 10 18 22M8 13.5h16M7 18.5h16" />
    </svg>
  );
}
