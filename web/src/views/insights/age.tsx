import { type AgeInsight, getAge } from '../../api/insights.ts';
import { bytes, count, percent, short } from '../../format/numbers.ts';
import { Panel, Stat } from '../../parts/panel.tsx';
import { Select } from '../../parts/select.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Maybe } from '../../parts/text.tsx';
import { Plot } from '../../plot/plot.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { goTo } from '../../state/use-route.ts';
import { agePlot } from './age-plot.ts';
import { MadeAt } from './made.tsx';

const DAY_SECONDS = 86_400;
const AGES: readonly (readonly [string, string])[] = [
  ['0', 'any age'],
  ['7', 'a week'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'a year'],
];

/** How old everything is, how large, and what a collection of garbage would remove. */
export function Age({ route }: { readonly route: Route }) {
  const days = AGES.find(([each]) => each === route.query.days)?.[0] ?? '30';
  const found = useResource(`age ${days}`, (api, signal) => getAge(api, Number(days) * DAY_SECONDS, signal));
  return (
    <>
      <div class="panel-aside">
        <Select
          label="A collection removes what is older than"
          options={AGES}
          value={days}
          onChange={(next) => goTo(address(['insights', 'age'], { days: next }))}
        />
      </div>
      <Loaded resource={found} what="Going through all reports">
        {(data) => (
          <>
            <Collection data={data} />
            <Months data={data} />
            <Tables data={data} />
            <MadeAt made={data.made} again={found.reload} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Collection({ data: { gc, database_bytes: size } }: { readonly data: AgeInsight }) {
  return (
    <dl class="stats">
      <Stat name="Would be removed" value={`${count(gc.would_remove)} reports`} note="whose task has no unihash" />
      <Stat
        name="Their size"
        value={bytes(gc.would_remove_bytes)}
        note={`${percent(gc.would_remove_bytes, size)} of the database`}
      />
      <Stat name="Of no use, of any age" value={count(gc.unused)} note="reports without a unihash" />
      <Stat
        name="Not marked"
        value={gc.mark === null ? 'no mark' : count(gc.unmarked)}
        note={
          gc.mark === null ? (
            'a sweep needs one'
          ) : (
            <>
              a sweep of <Maybe value={gc.mark} /> would remove these tasks
            </>
          )
        }
      />
    </dl>
  );
}

function Months({ data }: { readonly data: AgeInsight }) {
  const plot = agePlot(data);
  const { earlier } = data;
  if (data.months.length === 0)
    return (
      <Empty title="Nothing was reported yet">
        <p>Builds report what they put out; each month of reports stands here with its size.</p>
      </Empty>
    );
  return (
    <Panel title="Reports by month">
      {plot.x.length > 1 && <Plot title="Reports a month" data={plot} format={short} placeTitle="Month" />}
      <Table
        caption="Reports by month"
        rows={[
          ...data.months.map((row) => ({ ...row, name: row.month ?? 'time not known' })),
          ...(earlier ? [{ ...earlier, name: `${earlier.months} earlier months` }] : []),
        ]}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Month', isName: true, width: 'date', cell: ({ name }) => <Maybe value={name} /> },
          { title: 'Reports', isFigure: true, cell: ({ reports }) => count(reports) },
          { title: 'Of no use', isFigure: true, cell: ({ unused }) => count(unused) },
          { title: 'Size', isFigure: true, cell: (row) => bytes(row.bytes) },
          { title: 'With signatures', isFigure: true, cell: (row) => count(row.siginfo_rows) },
          { title: 'Size of these', isFigure: true, cell: (row) => bytes(row.siginfo_bytes) },
        ]}
      />
    </Panel>
  );
}

function Tables({ data: { tables, database_bytes: size } }: { readonly data: AgeInsight }) {
  return (
    <Panel title="Tables" aside={<span class="muted small">database {bytes(size)}</span>}>
      <Table
        caption="Size by table"
        rows={tables}
        keyOf={({ table }) => table}
        columns={[
          { title: 'Table', isName: true, cell: ({ table }) => <code>{table}</code> },
          { title: 'Rows', isFigure: true, cell: ({ rows }) => count(rows) },
          { title: 'Size', isFigure: true, cell: (row) => bytes(row.bytes) },
          { title: 'Signatures', isFigure: true, cell: (row) => count(row.siginfo_rows) },
          { title: 'Size of these', isFigure: true, cell: (row) => bytes(row.siginfo_bytes) },
        ]}
      />
    </Panel>
  );
}
