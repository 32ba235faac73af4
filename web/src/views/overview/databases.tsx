import type { History, Status } from '../../api/status.ts';
import { bytes, count, counted, NONE } from '../../format/numbers.ts';
import { Panel } from '../../parts/panel.tsx';
import { Table } from '../../parts/table.tsx';
import { Maybe } from '../../parts/text.tsx';
import { lastOf, overTime, recorded } from '../../plot/history.ts';
import { Plot } from '../../plot/plot.tsx';

const KINDS = [
  ['hashserv', 'Hash equivalence', 'first'],
  ['prserv', 'PR values', 'second'],
] as const;

const ROWS = {
  hashserv: [
    ['unihashes', 'task'],
    ['outhashes', 'report'],
  ],
  prserv: [['packages', 'value']],
} as const;

interface Shown {
  readonly kind: 'hashserv' | 'prserv';
  readonly title: string;
  readonly file: string | null | undefined;
}

/** How large the databases are, and how they grow. */
export function Databases({ status, history }: { readonly status: Status; readonly history: History | null }) {
  const of = (name: string) => (history ? lastOf(recorded(history, name)) : null);
  const rows: Shown[] = KINDS.map(([kind, title]) => ({ kind, title, file: status.databases?.[kind] }));
  const shown = rows.filter(({ kind, file }) => file != null || of(`${kind}.database_bytes`) !== null);
  const gc = status.gc;
  return (
    <Panel title="Databases">
      {shown.length > 0 && (
        <Table
          caption="Databases"
          rows={shown}
          keyOf={({ kind }) => kind}
          columns={[
            { title: 'Of', isName: true, cell: ({ title }) => title },
            ...(status.databases ? [{ title: 'Where', cell: ({ file }: Shown) => <Where file={file} /> }] : []),
            { title: 'Size', isFigure: true, cell: ({ kind }) => bytes(of(`${kind}.database_bytes`)) },
            { title: 'Free on its disk', isFigure: true, cell: ({ kind }) => bytes(of(`${kind}.free_bytes`)) },
            { title: 'Rows, as of this hour', isFigure: true, cell: ({ kind }) => rowsOf(kind, of) },
          ]}
        />
      )}
      {gc && (
        <p class="muted small">
          A collection would keep {counted(gc.keep, 'task')} and remove {count(gc.remove)}
          {gc.mark === null ? (
            '; no mark is set.'
          ) : (
            <>
              ; the mark is <Maybe value={gc.mark} />.
            </>
          )}
        </p>
      )}
      {history && (
        <Plot
          title="Size"
          height={120}
          isBytes
          format={bytes}
          data={overTime(
            history,
            KINDS.map(([kind, name, color]) => ({ name, color, values: recorded(history, `${kind}.database_bytes`) })),
          )}
        />
      )}
    </Panel>
  );
}

function Where({ file }: { readonly file: string | null | undefined }) {
  return (
    <code>
      <Maybe value={file} />
    </code>
  );
}

/** They are counted once an hour; before the first time nothing is known. */
function rowsOf(kind: 'hashserv' | 'prserv', of: (name: string) => number | null): string {
  const counts = ROWS[kind].flatMap(([name, noun]) => {
    const rows = of(name);
    return rows === null ? [] : [counted(rows, noun)];
  });
  return counts.length > 0 ? counts.join(', ') : NONE;
}
