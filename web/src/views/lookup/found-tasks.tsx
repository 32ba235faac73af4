import type { Found, TaskRow } from '../../api/hashes.ts';
import { counted } from '../../format/numbers.ts';
import { Badge, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Hash, Maybe, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { address } from '../../route.ts';
import { groupByTask, pairToCompare, recipeOf, type TaskGroup } from './groups.ts';

const KNOWN_AS = {
  taskhash: 'a taskhash: the inputs of a task',
  outhash: 'an outhash: what a task put out',
  unihash: 'a unihash: what the shared state is named by',
  recipe: 'a recipe',
} as const;

/** What is known of what was looked for. */
export function FoundTasks({ found, more }: { readonly found: Found; readonly more: string | null }) {
  if (found.is.length === 0)
    return (
      <Empty title="Nothing is known of it here">
        <p>
          Nobody reported <Text value={found.text} most={80} />. Names must match in full and case, unless a * stands
          for the rest; a hash has 64 digits.{' '}
          {!found.complete && 'The time was over before every row was looked through.'}
        </p>
      </Empty>
    );
  const groups = groupByTask(found.rows);
  const isRecipe = found.is.includes('recipe');
  return (
    <>
      <p class="known-as">
        <Text value={found.text} most={80} /> is known as {found.is.map((each) => KNOWN_AS[each]).join('; and as ')}.
      </p>
      <Unstable groups={groups} />
      <Panel title={isRecipe ? 'Reports, the newest first' : 'Reports, the oldest first'} aside={countOf(found)}>
        <Reports rows={found.rows} caption="Reports" />
        {(found.cut || !found.complete) && (
          <p class="muted small">
            Not all are shown. {!found.complete && 'The time was over before every row was looked through. '}
            {more && <a href={more}>Show more</a>}
          </p>
        )}
      </Panel>
      {!isRecipe && <Equivalent rows={found.equivalent} />}
    </>
  );
}

const countOf = ({ rows, cut }: Found) => (
  <span class="muted small">
    {counted(rows.length, 'report')}
    {cut && ' and more'}
  </span>
);

/** Says plainly which of the tasks built something else from the same inputs. */
function Unstable({ groups }: { readonly groups: readonly TaskGroup[] }) {
  const unstable = groups.filter(({ outputs }) => outputs.length > 1);
  if (unstable.length === 0) return null;
  return (
    <section class="notice warn" aria-label="Not reproducible">
      <p class="notice-title">
        {unstable.length === 1
          ? 'A task here is not reproducible'
          : `${unstable.length} tasks here are not reproducible`}
      </p>
      <p>The same inputs, by taskhash, gave different outputs. Compare two of them to see which files differ.</p>
      <ul class="lines">
        {unstable.slice(0, 20).map((group) => (
          <li key={group.key}>
            <strong>
              <Maybe value={recipeOf(group.name)} /> <Maybe value={group.name.task} />
            </strong>{' '}
            <Badge tone="warn">{counted(group.outputs.length, 'output')}</Badge> <CompareLink group={group} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function CompareLink({ group }: { readonly group: TaskGroup }) {
  const pair = pairToCompare(group);
  if (!pair) return <span class="muted small">no two of them have a signature text</span>;
  const { method, taskhash } = group;
  return (
    <a href={address(['compare'], { method, taskhash, a: pair[0].outhash, b: pair[1].outhash })}>Compare outputs</a>
  );
}

function Equivalent({ rows }: { readonly rows: readonly TaskRow[] }) {
  return (
    <Panel title="Equivalent tasks">
      {rows.length === 0 ? (
        <p class="muted">No other task shares the unihash: nothing was found to be equal to it.</p>
      ) : (
        <>
          <p class="muted small">Other inputs, the same output: what is built upon them is not built again.</p>
          <Reports rows={rows} caption="Equivalent tasks" />
        </>
      )}
    </Panel>
  );
}

function Reports({ rows, caption }: { readonly rows: readonly TaskRow[]; readonly caption: string }) {
  return (
    <Table
      caption={caption}
      rows={rows}
      keyOf={(_, i) => i}
      columns={[
        { title: 'Recipe', isName: true, width: 'word', cell: (row) => <Maybe value={recipeOf(row)} /> },
        { title: 'Task', width: 'word', cell: ({ task }) => <Maybe value={task} /> },
        { title: 'Taskhash', cell: ({ taskhash }) => <Hash value={taskhash} /> },
        { title: 'Unihash', cell: ({ unihash }) => (unihash === null ? '–' : <Hash value={unihash} />) },
        { title: 'Outhash', cell: ({ outhash }) => (outhash === null ? '–' : <Hash value={outhash} />) },
        { title: 'Reported', width: 'date', cell: ({ created }) => <Time at={created} /> },
        { title: 'By', cell: ({ owner }) => <Maybe value={owner} /> },
      ]}
    />
  );
}
