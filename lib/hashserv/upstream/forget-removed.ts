import type { WireWhere } from '../gc.ts';
import { conditionsFor } from '../where.ts';
import type { Backfill } from './backfill.ts';
import type { HashUpstream } from './upstream.ts';

/**
 * To be called before rows are removed: neither what is remembered of the upstream nor what waits to be stored from it may bring
 * one back.
 */
export async function forgetRemoved(upstream: HashUpstream, backfill: Backfill, where: WireWhere): Promise<void> {
  upstream.forgetAll();
  await backfill.forget(conditionsFor('unihashes', where));
}
