import type { ComponentChild } from 'preact';
import { Empty } from '../../parts/states.tsx';
import { View } from '../../parts/view.tsx';
import type { Route } from '../../route.ts';
import { useMay } from '../../state/session.ts';
import { Age } from './age.tsx';
import { Churn } from './churn.tsx';
import { Equivalences } from './equivalences.tsx';
import { Lookups } from './lookups.tsx';
import { SharedState } from './shared-state.tsx';
import { Unstable } from './unstable.tsx';

interface Insight {
  readonly title: string;
  /** The command of the protocol that answers it. */
  readonly command: string;
  readonly lead: string;
  readonly show: (route: Route) => ComponentChild;
}

/** By the names they have in addresses. */
const INSIGHTS: Readonly<Record<string, Insight>> = {
  unstable: {
    title: 'Unstable outputs',
    command: 'insight-unstable',
    lead: 'Tasks whose inputs were the same and whose outputs were not: these builds are not reproducible.',
    show: (route) => <Unstable route={route} />,
  },
  equivalences: {
    title: 'Equivalences',
    command: 'insight-equivalences',
    lead: 'Tasks with other inputs that put out the same: what depends on them was not built again.',
    show: () => <Equivalences />,
  },
  lookups: {
    title: 'Look-ups',
    command: 'insight-lookups',
    lead: 'How often builds find what they look for.',
    show: (route) => <Lookups route={route} />,
  },
  churn: {
    title: 'PR churn',
    command: 'insight-churn',
    lead: 'Packages whose PR never stands still: something that goes into them changes with every build.',
    show: (route) => <Churn route={route} />,
  },
  'shared-state': {
    title: 'Shared state',
    command: 'insight-shared-state',
    lead: 'A hash server that names what no mirror has makes every look-up a rebuild.',
    show: () => <SharedState />,
  },
  age: {
    title: 'Age',
    command: 'insight-age',
    lead: 'How old the reports are, how large the tables, and what a collection of garbage would remove.',
    show: (route) => <Age route={route} />,
  },
};

/** What the two databases tell about a farm. */
export function Insights({ route }: { readonly route: Route }) {
  const { commands } = useMay();
  const open = Object.entries(INSIGHTS).filter(([, { command }]) => commands.has(command));
  const name = route.rest[0] ?? open[0]?.[0] ?? '';
  const insight = open.find(([each]) => each === name)?.[1];
  return (
    <View title={insight ? `Insights: ${insight.title}` : 'Insights'} lead={insight?.lead}>
      <nav aria-label="Insights">
        <ul class="tabs">
          {open.map(([each, { title }]) => (
            <li key={each}>
              <a href={`#/insights/${each}`} aria-current={each === name ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {insight ? (
        insight.show(route)
      ) : (
        <Empty title="There is no such insight here">
          <p>Perhaps this listener does not serve what it is about, or it is for users with more rights.</p>
        </Empty>
      )}
    </View>
  );
}
