import type { ComponentChild } from 'preact';
import { Empty } from '../parts/states.tsx';
import { View } from '../parts/view.tsx';
import type { Route } from '../route.ts';
import { Compare } from './compare/compare.tsx';
import { Insights } from './insights/insights.tsx';
import { JobView } from './jobs/job.tsx';
import { Jobs } from './jobs/jobs.tsx';
import { Lookup } from './lookup/lookup.tsx';
import { Overview } from './overview/overview.tsx';
import { Package } from './packages/package.tsx';
import { Packages } from './packages/packages.tsx';
import { SignIn } from './sign-in.tsx';
import { Users } from './users/users.tsx';

const VIEWS: Readonly<Record<string, (route: Route) => ComponentChild>> = {
  overview: () => <Overview />,
  lookup: (route) => <Lookup route={route} />,
  compare: (route) => <Compare route={route} />,
  packages: (route) => <Packages route={route} />,
  package: (route) => <Package route={route} />,
  insights: (route) => <Insights route={route} />,
  jobs: (route) => <Jobs route={route} />,
  job: (route) => <JobView route={route} />,
  users: () => <Users />,
  'sign-in': () => <SignIn />,
};

export function viewFor(route: Route): ComponentChild {
  return Object.hasOwn(VIEWS, route.view) ? VIEWS[route.view]!(route) : <Nowhere />;
}

function Nowhere() {
  return (
    <View title="There is nothing here">
      <Empty title="No view has this address">
        <p>
          Perhaps it was cut off when it was copied. <a href="#/overview">Go to the overview</a>
        </p>
      </Empty>
    </View>
  );
}
