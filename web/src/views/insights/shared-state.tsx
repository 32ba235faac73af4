import { getSharedState, type SharedStateInsight } from '../../api/insights.ts';
import { bytes, count, counted, percent } from '../../format/numbers.ts';
import { Panel, Stat } from '../../parts/panel.tsx';
import { Empty, FailureBox, Loaded } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { Maybe, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { useResource } from '../../state/resource.ts';
import { useMay } from '../../state/session.ts';
import { useStart } from '../jobs/use-start.ts';
import { SharedStateCommands } from './shared-state-commands.tsx';

/** Whether what the hash server names is there, as the job shared-state found it last. */
export function SharedState() {
  const may = useMay();
  const found = useResource<{ readonly last: SharedStateInsight | null }>('shared state', async (api, signal) => ({
    last: await getSharedState(api, signal),
  }));
  return (
    <>
      <Loaded resource={found} what="Reading what was compared last">
        {({ last }) => (last === null ? <NothingYet /> : <Found data={last} />)}
      </Loaded>
      {may.compareSharedState && <CompareNow />}
      {may.commands.has('gc-status') && <SharedStateCommands />}
    </>
  );
}

/** Why there is nothing, and what would change that. */
function NothingYet() {
  const may = useMay();
  return (
    <Empty title="Nothing was compared yet">
      {may.compareSharedState ? (
        <p>It goes through all unihashes and all objects, which takes some minutes, as a job that disturbs no build.</p>
      ) : may.commands.has('job-start') ? (
        <p>
          The server is told of no shared state: start it with <code>--sstate-dir DIR</code>, or with{' '}
          <code>--sstate-mirror URL</code>, and it can be compared here.
        </p>
      ) : (
        <p>Whoever runs the server can have it compared: that needs @db-admin.</p>
      )}
    </Empty>
  );
}

function CompareNow() {
  const { isBusy, failure, start } = useStart('hashserv', () => {});
  return (
    <>
      <div class="actions">
        <button type="button" disabled={isBusy} onClick={() => void start('shared-state', {})}>
          Compare now
        </button>
      </div>
      {failure && <FailureBox failure={failure} />}
    </>
  );
}

function Found({ data }: { readonly data: SharedStateInsight }) {
  const { unihashes, present, missing, recent, unknown, orphans, orphan_bytes: size, mirror, folder } = data;
  return (
    <>
      <dl class="stats">
        <Stat name="Unihashes" value={count(unihashes)} note={`${percent(present, unihashes)} have an object`} />
        <Stat name="Missing" value={count(missing)} note={percent(missing, unihashes)} />
        {orphans !== null && <Stat name="Objects that nobody names" value={count(orphans)} note={bytes(size)} />}
        <Stat name="Too young to tell" value={count(recent)} note="they may be on their way" />
        {unknown > 0 && <Stat name="Not known" value={count(unknown)} note="not asked, or too little was reported" />}
      </dl>
      {mirror?.stopped && (
        <p class="notice warn">
          The mirror was left alone before everything was asked: <Text value={mirror.stopped} most={300} />
        </p>
      )}
      {folder !== null && folder.unreadable > 0 && (
        <p class="notice warn">
          {counted(folder.unreadable, 'folder')} could not be read: what is in there counts as missing. The log of the
          job names some.
        </p>
      )}
      <Recipes data={data} />
      <p class="muted small">
        Compared <Time at={data.made} relative />.
      </p>
    </>
  );
}

function Recipes({ data: { recipes, more, orphans } }: { readonly data: SharedStateInsight }) {
  if (recipes.length === 0)
    return (
      <Empty title="In step">
        <p>Every unihash that is old enough has its object{orphans !== null && ', and every object has a unihash'}.</p>
      </Empty>
    );
  return (
    <Panel title="By recipe and task">
      <Table
        caption="What is missing, by recipe and task"
        rows={recipes}
        keyOf={({ PN, task }) => `${PN}\n${task}`}
        columns={[
          { title: 'Recipe', isName: true, width: 'word', cell: ({ PN }) => <Maybe value={PN} /> },
          { title: 'Task', width: 'word', cell: ({ task }) => <Maybe value={task} /> },
          { title: 'Unihashes', isFigure: true, cell: (row) => count(row.unihashes) },
          { title: 'Missing', isFigure: true, cell: (row) => count(row.missing) },
          { title: 'Since', width: 'date', cell: (row) => <Time at={row.missing_since} /> },
          { title: 'Oldest report', width: 'date', cell: (row) => <Time at={row.oldest_report} /> },
          ...(orphans === null
            ? []
            : [
                { title: 'Not named', isFigure: true, cell: (row: Row) => count(row.orphans) },
                { title: 'Their size', isFigure: true, cell: (row: Row) => bytes(row.orphan_bytes) },
              ]),
        ]}
      />
      {more > 0 && <p class="muted small">And {counted(more, 'other')}, which are not told one by one.</p>}
    </Panel>
  );
}

type Row = SharedStateInsight['recipes'][number];
