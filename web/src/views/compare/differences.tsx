import { useState } from 'preact/hooks';
import type { DiffInsight, FileDifference, LineDifference } from '../../api/diff.ts';
import { groupByReason, type Reason } from '../../diff/reasons.ts';
import { type Change, changesOf, summaryOf } from '../../diff/summary.ts';
import { counted } from '../../format/numbers.ts';
import { Badge, Panel } from '../../parts/panel.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';

/** What is shown at a time: of two outputs that have nothing in common there may be hundreds of thousands. */
const STEP = 100;

/** What differs, by what commonly makes such files differ. */
export function Differences({ diff }: { readonly diff: DiffInsight }) {
  const groups = diff.form === 'files' ? groupByReason(diff.entries) : [];
  const lines = diff.form === 'lines' ? diff.entries : diff.header;
  return (
    <>
      <p class="notice warn summary" role="status">
        {summaryOf(diff)}
        {diff.cut && ' Only the beginning of the texts was compared: they are too long.'}
      </p>
      {groups.map(({ reason, files }) => (
        <Group key={reason.title} reason={reason} files={files} />
      ))}
      {lines.length > 0 && <Lines lines={lines} />}
      {groups.length > 0 && (
        <p class="muted small">
          The reasons are guesses from names and sizes: a signature has no content. To be sure, build the task twice and
          compare the files named here.
        </p>
      )}
    </>
  );
}

function Group({ reason, files }: { readonly reason: Reason; readonly files: readonly FileDifference[] }) {
  const [most, setMost] = useState(STEP);
  return (
    <Panel title={reason.title} aside={<Badge>{counted(files.length, 'file')}</Badge>}>
      <p>{reason.advice}</p>
      <Table
        caption={reason.title}
        rows={files.slice(0, most)}
        keyOf={({ path }) => path}
        columns={[
          {
            title: 'File',
            isName: true,
            cell: ({ path }) => (
              <code>
                <Text value={path} most={300} />
              </code>
            ),
          },
          {
            title: 'Differs in',
            width: 'word',
            cell: (file) =>
              changesOf(file)
                .map(({ name }) => name)
                .join(', '),
          },
          { title: 'First build', width: 'word', cell: (file) => <Values changes={changesOf(file)} of="first" /> },
          { title: 'Second build', width: 'word', cell: (file) => <Values changes={changesOf(file)} of="second" /> },
        ]}
      />
      {files.length > most && (
        <button type="button" onClick={() => setMost(most + STEP * 10)}>
          Show {counted(Math.min(files.length - most, STEP * 10), 'more file')}
        </button>
      )}
    </Panel>
  );
}

function Values({ changes, of }: { readonly changes: readonly Change[]; readonly of: 'first' | 'second' }) {
  return <Text value={changes.map((change) => change[of]).join(', ')} />;
}

function Lines({ lines }: { readonly lines: readonly LineDifference[] }) {
  const [most, setMost] = useState(STEP);
  return (
    <Panel title="Other lines of the texts" aside={<Badge>{counted(lines.length, 'line')}</Badge>}>
      <p>Lines that name no file; all of them, where a text has another form than OpenEmbedded’s.</p>
      <ol class="diff-lines">
        {lines.slice(0, most).map(({ kind, number, text }) => (
          <li key={`${kind} ${number}`} class={kind === 'only-here' ? 'removed' : 'added'}>
            <span class="muted small">{kind === 'only-here' ? 'first only' : 'second only'}</span>{' '}
            <code>
              <Text value={text} most={300} />
            </code>
          </li>
        ))}
      </ol>
      {lines.length > most && (
        <button type="button" onClick={() => setMost(most + STEP * 10)}>
          Show {counted(Math.min(lines.length - most, STEP * 10), 'more line')}
        </button>
      )}
    </Panel>
  );
}
