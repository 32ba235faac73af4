import { joinMethods, type MethodCounts } from '../meter/task-lookups.ts';
import { joinSnapshots, lasting, type Snapshot } from '../metrics/snapshot.ts';

/** What is recorded from: what a process has counted since its start. */
export interface Figures {
  readonly snapshot: Snapshot;
  readonly methods: readonly MethodCounts[];
}

export const NO_FIGURES: Figures = { snapshot: {}, methods: [] };

/** What several processes of one server count, as one. */
export function joinFigures(all: readonly Figures[]): Figures {
  return {
    snapshot: joinSnapshots(all.map(({ snapshot }) => snapshot)),
    methods: joinMethods(all.map(({ methods }) => methods)),
  };
}

/** What stays of a process that has ended. */
export function lastingFigures({ snapshot, methods }: Figures): Figures {
  return { snapshot: lasting(snapshot), methods };
}
