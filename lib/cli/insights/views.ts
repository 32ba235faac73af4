import { AGE_VIEW } from './age-view.ts';
import type { View } from './view.ts';

/** The insights of `bakeserv-hashclient insights`, by name. */
export const VIEWS: Readonly<Record<string, View>> = { age: AGE_VIEW };
