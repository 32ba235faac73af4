import type { Job } from '../../api/jobs.ts';
import { counted } from '../../format/numbers.ts';
import { Panel } from '../../parts/panel.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { isObject, resultLines, words } from './job-text.ts';

const MOST_ROWS = 200;

/** What came of a job: its figures, and the rows it names, as the conflicts of a pull. */
export function JobResult({ job: { result, state } }: { readonly job: Pick<Job, 'result' | 'state'> }) {
  const lines = resultLines(result);
  const lists = listsOf(result);
  if (lines.length === 0 && lists.length === 0) return null;
  return (
    <Panel title={state === 'done' ? 'Result' : 'Done until then'}>
      <dl class="pairs">
        {lines.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Text value={value} />
            </dd>
          </div>
        ))}
      </dl>
      {lists.map(({ name, rows }) => (
        <Rows key={name} name={name} rows={rows} />
      ))}
    </Panel>
  );
}

interface NamedRows {
  readonly name: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Lists of objects in a result, one level down at most. */
function listsOf(result: unknown, path = ''): NamedRows[] {
  if (result === null || typeof result !== 'object') return [];
  return Object.entries(result).flatMap(([key, value]) => {
    const name = [path, words(key)].filter(Boolean).join(', ');
    if (Array.isArray(value))
      return value.length > 0 && isObject(value[0]) ? [{ name, rows: value.filter(isObject) }] : [];
    return path === '' ? listsOf(value, name) : [];
  });
}

function Rows({ name, rows }: NamedRows) {
  const titles = [...new Set(rows.slice(0, MOST_ROWS).flatMap((row) => Object.keys(row)))];
  return (
    <details>
      <summary>
        {name}: {counted(rows.length, 'row')}
      </summary>
      <Scroll label={name}>
        <Table
          caption={name}
          rows={rows.slice(0, MOST_ROWS)}
          keyOf={(_, i) => i}
          columns={titles.map((title, i) => ({
            title: words(title),
            isName: i === 0,
            cell: (row: Readonly<Record<string, unknown>>) => <Text value={textOf(row[title])} most={80} />,
          }))}
        />
      </Scroll>
      {rows.length > MOST_ROWS && <p class="muted small">The first {MOST_ROWS} are shown.</p>}
    </details>
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
