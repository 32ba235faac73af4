import type { HashStore } from '../../lib/hashserv/store.ts';
import type { PrStore } from '../../lib/prserv/store.ts';
import { reportOf } from '../contract/helpers.ts';
import { hash } from '../helpers.ts';
import type { History } from './history.ts';

/** What a client asks of: a server, or a store as a server has it. */
export interface Asked {
  readonly hash: Pick<HashStore, 'report'>;
  readonly pr: Pick<PrStore, 'getPr'>;
}

const PACKAGES = 3;
const OUTPUTS = 40;

/** Asks one thing after the other until `over`, and writes down what was answered. @param seed differs between clients */
export async function askUntil(over: () => boolean, asked: Asked, seed: number, history: History): Promise<void> {
  for (let n = 0; !over(); n++) {
    const key = seed * 1_000_000 + n;
    const started = performance.now();
    try {
      if (n % 2 === 0) {
        // Every third asks again for a checksum that others have asked for.
        const checksum = n % 3 === 0 ? `shared-${n % 5}` : `c${key}`;
        const version = `pkg${n % PACKAGES}-1.0-r0`;
        const [value] = await asked.pr.getPr([{ version, pkgarch: 'all', checksum, history: false }]);
        if (typeof value !== 'string') throw new Error(`get-pr was answered ${value}`);
        history.prs.push({ package: version, checksum, asked: started, answered: performance.now(), value });
      } else {
        const outhash = `o${n % OUTPUTS}-${Math.floor(n / OUTPUTS)}`;
        const taskhash = hash(key);
        const [unihash] = await asked.hash.report([reportOf(taskhash, outhash, hash(key + 500_000))]);
        history.reports.push({ taskhash, outhash, asked: started, answered: performance.now(), unihash: unihash! });
      }
    } catch {
      history.failed++;
    }
    history.longestMs = Math.max(history.longestMs, performance.now() - started);
  }
}
