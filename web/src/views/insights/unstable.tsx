import { getUnstable, type UnstableInsight } from '../../api/insights.ts';
import { count, counted } from '../../format/numbers.ts';
import { Badge, Panel, Stat } from '../../parts/panel.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Hash, Maybe, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { address, type Route } from '../../route.ts';
import { useResource } from '../../state/resource.ts';
import { MadeAt } from './made.tsx';

type UnstableTask = UnstableInsight['tasks'][number];

/** Tasks that did not build the same output each time. */
export function Unstable({ route }: { readonly route: Route }) {
  const recipe = route.query.pn || null;
  const found = useResource(`unstable ${recipe}`, (api, signal) => getUnstable(api, recipe, signal));
  return (
    <Loaded resource={found} what="Going through all reports">
      {(data) => (
        <>
          {recipe !== null && (
            <p>
              Of the recipe{' '}
              <strong>
                <Text value={recipe} most={80} />
              </strong>{' '}
              alone. <a href="#/insights/unstable">Show all</a>
            </p>
          )}
          <dl class="stats">
            <Stat name="Tasks not reproducible" value={count(data.total.tasks)} />
            <Stat name="Their outputs" value={count(data.total.outputs)} />
            <Stat
              name="Cannot be compared"
              value={count(data.total.without_siginfo)}
              note="fewer than two signature texts"
            />
          </dl>
          {data.total.tasks === 0 ? (
            <Empty title="Every task put out the same each time">
              <p>As far as it was built more than once, and reported.</p>
            </Empty>
          ) : (
            <>
              <Tasks tasks={data.tasks} all={data.total.tasks} />
              {recipe === null && <Recipes data={data} />}
            </>
          )}
          <MadeAt made={data.made} again={found.reload} />
        </>
      )}
    </Loaded>
  );
}

function Tasks({ tasks, all }: { readonly tasks: readonly UnstableTask[]; readonly all: number }) {
  return (
    <Panel
      title="Tasks, the newest first"
      aside={<span class="muted small">{`${count(tasks.length)} of ${count(all)}`}</span>}
    >
      <Table
        caption="Tasks with more than one output"
        rows={tasks}
        keyOf={({ method, taskhash }) => `${method}\n${taskhash}`}
        columns={[
          { title: 'Recipe', isName: true, width: 'word', cell: ({ PN }) => <Maybe value={PN} /> },
          { title: 'Task', width: 'word', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Taskhash', cell: ({ taskhash }) => <Hash value={taskhash} /> },
          { title: 'Outputs', isFigure: true, cell: ({ outputs }) => count(outputs) },
          { title: 'Last', width: 'date', cell: ({ last }) => <Time at={last} relative /> },
          { title: 'Built by', cell: (task) => <Owners task={task} /> },
          { title: 'Why', width: 'date', cell: (task) => <CompareLink task={task} /> },
        ]}
      />
    </Panel>
  );
}

function Owners({ task: { owners, more_owners: more } }: { readonly task: UnstableTask }) {
  if (owners.length === 0) return <span class="muted">–</span>;
  return (
    <>
      <Text value={owners.join(', ')} most={80} />
      {more > 0 && ` and ${counted(more, 'other')}`}
    </>
  );
}

function CompareLink({ task: { method, taskhash, siginfo } }: { readonly task: UnstableTask }) {
  if (siginfo < 2) return <span class="muted small">no signatures</span>;
  return <a href={address(['compare'], { method, taskhash })}>Compare outputs</a>;
}

function Recipes({ data: { recipes, total } }: { readonly data: UnstableInsight }) {
  return (
    <Panel title="Recipes with the most such tasks">
      <Table
        caption="Recipes with the most tasks that are not reproducible"
        rows={recipes}
        keyOf={({ PN, task }) => `${PN}\n${task}`}
        columns={[
          {
            title: 'Recipe',
            isName: true,
            cell: ({ PN }) =>
              PN === null ? (
                <Badge>not named</Badge>
              ) : (
                <a href={address(['insights', 'unstable'], { pn: PN })}>
                  <Text value={PN} most={80} />
                </a>
              ),
          },
          { title: 'Task', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Tasks', isFigure: true, cell: ({ tasks }) => count(tasks) },
          { title: 'Outputs', isFigure: true, cell: ({ outputs }) => count(outputs) },
          { title: 'Last', width: 'date', cell: ({ last }) => <Time at={last} relative /> },
        ]}
      />
      {total.of_further_recipes !== undefined && (
        <p class="muted small">
          {counted(total.of_further_recipes, 'more task')} of recipes that are not told one by one.
        </p>
      )}
    </Panel>
  );
}
