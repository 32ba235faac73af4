import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): ComponentChildren;
  /** Figures stand on the right. */
  readonly isFigure?: boolean;
  /** Not broken: a date. Not squeezed: a word. */
  readonly width?: 'date' | 'word';
  /** The column that names the row. */
  readonly isName?: boolean;
}

interface TableProps<Row> {
  /** What the table shows: read aloud, not seen. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  keyOf(row: Row, index: number): string | number;
}

/** A table; where there is no room for its columns each row is a list with the titles beside the values. */
export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table class="table">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" class={classOf(column)}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={keyOf(row, index)}>
            {columns.map((column) => (
              <Cell key={column.title} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell<Row>({ column, row }: { readonly column: Column<Row>; readonly row: Row }) {
  const { title, cell, isName } = column;
  const kind = classOf(column);
  const content = <div class="cell">{cell(row)}</div>;
  if (isName)
    return (
      <th scope="row" class={kind} data-title={title}>
        {content}
      </th>
    );
  return (
    <td class={kind} data-title={title}>
      {content}
    </td>
  );
}

function classOf<Row>({ isFigure, width }: Column<Row>): string | undefined {
  return isFigure ? 'figure' : width;
}
