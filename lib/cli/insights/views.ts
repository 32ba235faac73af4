import { AGE_VIEW } from './age-view.ts';
import { CHURN_VIEW } from './churn-view.ts';
import { EQUIVALENCES_VIEW } from './equivalences-view.ts';
import { LOOKUPS_VIEW } from './lookups-view.ts';
import { UNSTABLE_VIEW } from './unstable-view.ts';
import type { View } from './view.ts';

/** The insights of `bakeserv-hashclient insights`, by name. */
export const VIEWS: Readonly<Record<string, View>> = {
  unstable: UNSTABLE_VIEW,
  equivalences: EQUIVALENCES_VIEW,
  age: AGE_VIEW,
  lookups: LOOKUPS_VIEW,
};

/** The same of `bakeserv-prclient insights`. */
export const PR_VIEWS: Readonly<Record<string, View>> = { churn: CHURN_VIEW };
