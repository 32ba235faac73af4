import type { History } from '../../api/status.ts';
import { latency, rate, short } from '../../format/numbers.ts';
import { overTime, perSecond, recorded } from '../../plot/history.ts';
import { Plot } from '../../plot/plot.tsx';

/** What clients ask, and how quickly they are answered. */
export function Traffic({ history }: { readonly history: History }) {
  return (
    <div class="plots">
      <Plot
        title="Requests a second"
        format={rate}
        data={overTime(history, [
          {
            name: 'hash equivalence',
            color: 'first',
            values: perSecond(history, 'hashserv.requests', 'hashserv.lines'),
          },
          { name: 'PR values', color: 'second', values: perSecond(history, 'prserv.requests') },
        ])}
      />
      <Plot
        title="Time to answer hash equivalence"
        format={latency}
        data={overTime(history, [
          { name: 'half within', color: 'second', values: recorded(history, 'hashserv.p50', 1000) },
          { name: '99 % within', color: 'first', values: recorded(history, 'hashserv.p99', 1000) },
        ])}
        empty="Nobody asked in this time"
      />
      <Plot
        title="Look-ups a second"
        format={rate}
        data={overTime(history, [
          { name: 'hits', color: 'third', values: perSecond(history, 'lookups.hits') },
          { name: 'misses', color: 'first', values: perSecond(history, 'lookups.misses') },
          { name: 'from upstream', color: 'second', values: perSecond(history, 'lookups.upstream_hits') },
        ])}
      />
      <Plot
        title="Open connections"
        format={short}
        data={overTime(history, [{ name: 'connections', color: 'second', values: recorded(history, 'connections') }])}
      />
    </div>
  );
}
