import { type ChurnInsight, type ChurnOrder, getChurn } from '../../api/insights.ts';
import { count, counted } from '../../format/numbers.ts';
import { Badge, Panel, Stat } from '../../parts/panel.tsx';
import { Select } from '../../parts/select.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';
import { MadeAt } from './made.tsx';

const ORDERS: readonly (readonly [ChurnOrder, string])[] = [
  ['new', 'Most new values'],
  ['values', 'Most values'],
  ['skipped', 'Largest gaps'],
  ['left', 'Nearest the limit'],
];
const DAYS: readonly (readonly [string, string])[] = [
  ['1', 'since yesterday'],
  ['7', 'in 7 days'],
  ['30', 'in 30 days'],
  ['365', 'in a year'],
];
/** Fewer values left than that, and somebody should know. */
const NEAR = 1_000_000;

/** Packages whose PR never stands still: something that goes into them changes with every build. */
export function Churn({ route }: { readonly route: Route }) {
  const sort = ORDERS.find(([order]) => order === route.query.sort)?.[0] ?? 'new';
  const days = DAYS.find(([each]) => each === route.query.days)?.[0] ?? '7';
  const found = useResource(`churn ${sort} ${days}`, (api, signal) => getChurn(api, sort, Number(days), signal));
  const go = (query: object) => goTo(address(['insights', 'churn'], { sort, days, ...query }));
  return (
    <>
      <div class="panel-aside">
        <Select label="Order" options={ORDERS} value={sort} onChange={(next) => go({ sort: next })} />
        <Select label="New is" options={DAYS} value={days} onChange={(next) => go({ days: next })} />
      </div>
      <Loaded resource={found} what="Counting the values of all packages">
        {(data) => (
          <>
            <Totals data={data} />
            <Recipes data={data} />
            <MadeAt made={data.made} again={found.reload} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Totals({ data }: { readonly data: ChurnInsight }) {
  return (
    <dl class="stats">
      <Stat name="Packages" value={count(data.packages)} />
      <Stat
        name="Values"
        value={count(data.values)}
        note={data.not_countable > 0 && `${count(data.not_countable)} no number`}
      />
      <Stat
        name={`New in ${counted(data.days, 'day')}`}
        value={count(data.new)}
        note={data.since === null && 'times are not known yet'}
      />
      <Stat name="Near the limit" value={count(data.near_limit)} note="fewer than a million values left" />
    </dl>
  );
}

function Recipes({ data: { recipes, more } }: { readonly data: ChurnInsight }) {
  return (
    <Panel title="Recipes">
      {recipes.length === 0 ? (
        <Empty title="There are no PR values yet" />
      ) : (
        <Table
          caption="Recipes by their values"
          rows={recipes}
          keyOf={({ recipe, pkgarch }) => `${recipe}\n${pkgarch}`}
          columns={[
            {
              title: 'Recipe',
              isName: true,
              cell: ({ recipe }) => (
                <a href={address(['packages'], { q: `${recipe}-` })}>
                  <Text value={recipe} most={80} />
                </a>
              ),
            },
            { title: 'Architecture', cell: ({ pkgarch }) => <Text value={pkgarch} most={60} /> },
            { title: 'Versions', isFigure: true, cell: ({ versions }) => count(versions) },
            { title: 'Values', isFigure: true, cell: ({ values }) => count(values) },
            { title: 'New', isFigure: true, cell: (row) => count(row.new) },
            { title: 'In gaps', isFigure: true, cell: ({ skipped }) => count(skipped) },
            { title: 'Largest', isFigure: true, cell: ({ largest }) => <Text value={largest} most={40} /> },
            {
              title: 'Left',
              isFigure: true,
              cell: ({ left }) => (left < NEAR ? <Badge tone="bad">{count(left)}</Badge> : 'enough'),
            },
          ]}
        />
      )}
      {more > 0 && <p class="muted small">{counted(more, 'more recipe')}.</p>}
    </Panel>
  );
}
