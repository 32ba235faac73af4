import { InvokeError } from '../errors.ts';
import type { PlanWatch } from '../prserv/pull/publish.ts';
import { type PromotionList, planDigest } from './list.ts';

/** What was confirmed is not what would be done. */
export class ChangedError extends InvokeError {
  constructor(what: string) {
    super(
      `the list has changed since it was confirmed (${what}): nothing more was stored; look at it again`,
      undefined,
      'invalid',
    );
  }
}

/** The two parts of a confirmation: over what is done about PR values, and over the tasks and reports of the source. */
export interface Digests {
  readonly prs: string;
  readonly hashes: string;
}

/** Of a service that is not promoted. */
export const NOTHING = '-';

export const writeDigests = ({ prs, hashes }: Digests): string => `${prs}.${hashes}`;

/** Null where nothing was confirmed: then whatever is found is done. */
export function readDigests(text: string | undefined): Digests | null {
  if (text === undefined) return null;
  const [prs = '', hashes = ''] = text.split('.');
  return { prs, hashes };
}

export interface SeenPlans extends PlanWatch {
  /** Over the plans, once all were seen. */
  readonly digest: string;
}

/**
 * Watches what is decided about PR values.
 * @param expected the digest it must have; null: any
 */
export function seePlans(list: PromotionList | null, expected: string | null): SeenPlans {
  let open = planDigest();
  let digest = NOTHING;
  return {
    begin() {
      open = planDigest();
    },
    see(group, plan) {
      open.add(group, plan);
      list?.addPlan(group, plan);
    },
    end() {
      digest = open.text();
      if (expected !== null && digest !== expected) throw new ChangedError('PR values');
    },
    get digest() {
      return digest;
    },
  };
}
