import { type EquivalencesInsight, getEquivalences } from '../../api/insights.ts';
import { count, percent, short } from '../../format/numbers.ts';
import { Panel, Stat } from '../../parts/panel.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Hash, Maybe } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { Plot } from '../../plot/plot.tsx';
import { useResource } from '../../state/resource.ts';
import { daysPlot } from './days-plot.ts';
import { MadeAt } from './made.tsx';

/** Where equivalence saves work, and where it never does. */
export function Equivalences() {
  const found = useResource('equivalences', getEquivalences);
  return (
    <Loaded resource={found} what="Going through all tasks">
      {(data) => (
        <>
          <Totals data={data} />
          <Recipes data={data} />
          <Unihashes data={data} />
          <Never data={data} />
          <MadeAt made={data.made} again={found.reload} />
        </>
      )}
    </Loaded>
  );
}

function Totals({ data: { total } }: { readonly data: EquivalencesInsight }) {
  return (
    <dl class="stats">
      <Stat name="Found equal" value={count(total.found)} note="tasks with another’s unihash" />
      <Stat name="Shared unihashes" value={count(total.unihashes)} />
      <Stat
        name="Not rebuilt, at the least"
        value={count(total.not_rebuilt_estimate)}
        note="an estimate: what depends on a task is not known here"
      />
    </dl>
  );
}

function Recipes({ data }: { readonly data: EquivalencesInsight }) {
  const plot = daysPlot(data);
  if (data.recipes.length === 0)
    return (
      <Empty title="Nothing was found to be equal yet">
        <p>A task is found equal when it puts out what another one did, from other inputs.</p>
      </Empty>
    );
  return (
    <Panel title="Where it saves work">
      {plot.x.length > 1 && <Plot title="Found equal a day" data={plot} format={short} placeTitle="Day" />}
      <Table
        caption="Recipes of which tasks were found equal"
        rows={data.recipes}
        keyOf={({ PN, task }) => `${PN}\n${task}`}
        columns={[
          { title: 'Recipe', isName: true, cell: ({ PN }) => <Maybe value={PN} /> },
          { title: 'Task', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Reports', isFigure: true, cell: ({ reports }) => count(reports) },
          { title: 'Found equal', isFigure: true, cell: (row) => count(row.found) },
          { title: 'Share', isFigure: true, cell: (row) => percent(Math.min(row.found, row.reports), row.reports) },
          { title: 'Last', width: 'date', cell: ({ last }) => <Time at={last} relative /> },
        ]}
      />
    </Panel>
  );
}

function Unihashes({ data: { unihashes } }: { readonly data: EquivalencesInsight }) {
  if (unihashes.length === 0) return null;
  return (
    <Panel title="Shared unihashes, the newest first">
      <Table
        caption="Unihashes that several tasks share"
        rows={unihashes}
        keyOf={({ unihash }) => unihash}
        columns={[
          { title: 'Unihash', isName: true, cell: ({ unihash }) => <Hash value={unihash} /> },
          { title: 'Recipe', cell: ({ PN }) => <Maybe value={PN} /> },
          { title: 'Task', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Tasks', isFigure: true, cell: ({ tasks }) => count(tasks) },
          { title: 'Last', width: 'date', cell: ({ last }) => <Time at={last} relative /> },
        ]}
      />
    </Panel>
  );
}

function Never({ data: { never } }: { readonly data: EquivalencesInsight }) {
  if (never.length === 0) return null;
  return (
    <Panel title="Never found equal">
      <p class="muted small">Built again and again, and each time something else: equivalence saves nothing here.</p>
      <Table
        caption="Recipes of which no task was ever found equal"
        rows={never}
        keyOf={({ PN, task }) => `${PN}\n${task}`}
        columns={[
          { title: 'Recipe', isName: true, cell: ({ PN }) => <Maybe value={PN} /> },
          { title: 'Task', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Reports', isFigure: true, cell: ({ reports }) => count(reports) },
        ]}
      />
    </Panel>
  );
}
