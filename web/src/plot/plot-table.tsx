import { useState } from 'preact/hooks';
import { Scroll } from '../parts/scroll.tsx';
import { Table } from '../parts/table.tsx';
import { type PlotData, placeName, sampled } from './series.ts';

const MOST_ROWS = 61;

interface PlotTableProps {
  readonly title: string;
  readonly data: PlotData;
  readonly format: (value: number) => string;
  readonly placeTitle: string;
}

/** The values of a plot as a table, which is made when it is opened: a day has 1,440 places. */
export function PlotTable({ title, data, format, placeTitle }: PlotTableProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="plot-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="small">As a table</summary>
      {isOpen && (
        <Scroll label={`${title}, as a table`} kind="short">
          <Table
            caption={title}
            rows={sampled(data.x.length, MOST_ROWS).reverse()}
            keyOf={(index) => index}
            columns={[
              { title: placeTitle, isName: true, cell: (index) => placeName(data, index) },
              ...data.series.map(({ name, values }) => ({
                title: name,
                isFigure: true,
                cell: (index: number) => shownValue(values[index], format),
              })),
            ]}
          />
        </Scroll>
      )}
    </details>
  );
}

function shownValue(value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? '–' : format(value);
}
