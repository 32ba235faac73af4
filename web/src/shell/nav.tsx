import type { Route } from '../route.ts';
import { type May, useMay } from '../state/session.ts';

const ITEMS: readonly (readonly [view: string, title: string, needs: keyof May, also: readonly string[]])[] = [
  ['overview', 'Overview', 'overview', []],
  ['lookup', 'Look up', 'lookup', ['compare']],
  ['packages', 'Packages', 'packages', ['package']],
  ['insights', 'Insights', 'insights', []],
  ['jobs', 'Jobs', 'jobs', ['job']],
  ['users', 'Users', 'users', []],
];

/** The views that the visitor may open. */
export function Nav({ route }: { readonly route: Route }) {
  const may = useMay();
  const open = ITEMS.filter(([, , needs]) => may[needs]);
  return (
    <nav aria-label="Views">
      <ul class="nav">
        {open.map(([view, title, , also]) => (
          <li key={view}>
            <a href={`#/${view}`} aria-current={route.view === view || also.includes(route.view) ? 'page' : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
