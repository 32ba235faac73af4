import { useState } from 'preact/hooks';
import { getLookups, type LookupsInsight } from '../../api/insights.ts';
import type { Span } from '../../api/status.ts';
import { count, percent, short } from '../../format/numbers.ts';
import { cut, visible } from '../../format/text.ts';
import { Choice } from '../../parts/choice.tsx';
import { Panel, Stat } from '../../parts/panel.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Hash, Text } from '../../parts/text.tsx';
import { Plot } from '../../plot/plot.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';

const SPANS: readonly (readonly [Span, string])[] = [
  ['hour', 'Last hour'],
  ['day', 'Last day'],
  ['month', 'Last month'],
];
const EVERY_MS: Readonly<Record<Span, number>> = { hour: 10_000, day: 60_000, month: 300_000 };

/** How many look-ups find what they look for, over time and by method, and what is missed most. */
export function Lookups({ route }: { readonly route: Route }) {
  const asked = route.query.span;
  const span: Span = asked === 'day' || asked === 'month' ? asked : 'hour';
  const found = useResource(`lookups ${span}`, (api, signal) => getLookups(api, span, signal), {
    everyMs: EVERY_MS[span],
  });
  return (
    <>
      <Choice
        label="Time shown"
        options={SPANS}
        value={span}
        onChange={(next) => goTo(address(['insights', 'lookups'], { span: next }))}
      />
      <Loaded resource={found} what="Reading look-ups">
        {(data) => (
          <>
            <Totals data={data} />
            <OverTime data={data} />
            <ByMethod data={data} />
            <TopMisses rows={data.top_misses} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Totals({ data: { total } }: { readonly data: LookupsInsight }) {
  const all = total.hits + total.misses + total.upstream_hits;
  return (
    <dl class="stats">
      <Stat name="Look-ups" value={count(all)} />
      <Stat name="Known here" value={count(total.hits)} note={percent(total.hits, all)} />
      <Stat name="Known upstream" value={count(total.upstream_hits)} note={percent(total.upstream_hits, all)} />
      <Stat name="Missed" value={count(total.misses)} note={percent(total.misses, all)} />
    </dl>
  );
}

function OverTime({ data: { methods, times, bucket_seconds: seconds } }: { readonly data: LookupsInsight }) {
  const [method, setMethod] = useState('');
  const shown = methods.filter((each) => method === '' || each.method === method);
  const sum = (of: 'hits' | 'misses' | 'upstream_hits') =>
    times.map((_, i) => {
      const known = shown.map((each) => each[of][i]).filter((value) => value != null);
      return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
    });
  const name = (text: string) => visible(cut(text, 80).text);
  return (
    <Panel
      title={seconds === 60 ? 'Look-ups a minute' : 'Look-ups an hour'}
      aside={
        methods.length > 1 && (
          <label class="beside">
            <span class="small muted">Method</span>
            <select value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
              <option value="">All</option>
              {methods.map((each) => (
                <option key={each.method} value={each.method}>
                  {name(each.method)}
                </option>
              ))}
            </select>
          </label>
        )
      }
    >
      <Plot
        title={method === '' ? 'All methods' : name(method)}
        height={220}
        format={short}
        data={{
          x: times,
          isTime: true,
          series: [
            { name: 'known here', color: 'third', values: sum('hits') },
            { name: 'missed', color: 'first', values: sum('misses') },
            { name: 'known upstream', color: 'second', values: sum('upstream_hits') },
          ],
        }}
      />
    </Panel>
  );
}

function ByMethod({ data: { methods } }: { readonly data: LookupsInsight }) {
  if (methods.length < 2) return null;
  return (
    <Panel title="By method">
      <Table
        caption="Look-ups by method"
        rows={methods}
        keyOf={({ method }) => method}
        columns={[
          { title: 'Method', isName: true, cell: ({ method }) => <Text value={method} most={80} /> },
          { title: 'Known here', isFigure: true, cell: ({ total }) => count(total.hits) },
          { title: 'Known upstream', isFigure: true, cell: ({ total }) => count(total.upstream_hits) },
          { title: 'Missed', isFigure: true, cell: ({ total }) => count(total.misses) },
        ]}
      />
    </Panel>
  );
}

function TopMisses({ rows }: { readonly rows: LookupsInsight['top_misses'] }) {
  return (
    <Panel title="Most missed in the last hour">
      {rows.length === 0 ? (
        <Empty title="Nothing was missed" />
      ) : (
        <>
          <p class="muted small">
            A task that is looked up again and again and never reported: builds fail before its end, or its builder may
            not report.
          </p>
          <Table
            caption="Tasks most missed in the last hour"
            rows={rows}
            keyOf={({ method, taskhash }) => `${method}\n${taskhash}`}
            columns={[
              { title: 'Taskhash', isName: true, cell: ({ taskhash }) => <Hash value={taskhash} whole /> },
              { title: 'Method', cell: ({ method }) => <Text value={method} most={60} /> },
              { title: 'Missed about', isFigure: true, cell: ({ count: times }) => count(times) },
            ]}
          />
        </>
      )}
    </Panel>
  );
}
