import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { Empty } from '../parts/states.tsx';
import { Theme } from '../state/theme.ts';
import { optionsFor } from './options.ts';
import { PlotTable } from './plot-table.tsx';
import { isEmpty, type PlotData, placeName, summaryOf } from './series.ts';

interface PlotProps {
  readonly title: string;
  readonly data: PlotData;
  readonly format: (value: number) => string;
  readonly height?: number;
  /** Values are single ones, each with its point. */
  readonly isStepped?: boolean;
  readonly isBytes?: boolean;
  readonly placeTitle?: string;
  /** What to say where nothing was recorded. */
  readonly empty?: string;
}

/** A plot: lines for whoever sees them, a summary and a table of the same for everybody. */
export function Plot({
  title,
  data,
  format,
  height = 160,
  isStepped = false,
  isBytes = false,
  placeTitle = 'Time',
  empty,
}: PlotProps) {
  const [place, setPlace] = useState<number | null>(null);
  if (isEmpty(data))
    return (
      <figure class="plot">
        <figcaption>{title}</figcaption>
        <Empty title={empty ?? 'Nothing was recorded in this time'} />
      </figure>
    );
  const shown = place !== null && place < data.x.length ? place : null;
  const summary = data.series.map((each) => summaryOf(each, format)).join('; ');
  return (
    <figure class="plot">
      <figcaption>
        {title}
        <span class="muted small">{shown === null ? '' : placeName(data, shown)}</span>
      </figcaption>
      <ul class="legend" aria-hidden="true">
        {data.series.map(({ name, values, color }) => (
          <li key={name}>
            <span class={`swatch ${color}`} />
            {name} <strong>{valueAt(values, shown, format)}</strong>
          </li>
        ))}
      </ul>
      <Canvas
        data={data}
        format={format}
        height={height}
        isStepped={isStepped}
        isBytes={isBytes}
        label={`${title}. ${summary}.`}
        onPlace={setPlace}
      />
      <PlotTable title={title} data={data} format={format} placeTitle={placeTitle} />
    </figure>
  );
}

function valueAt(values: readonly (number | null)[], place: number | null, format: (value: number) => string): string {
  const value = place === null ? values.findLast((each) => each !== null) : values[place];
  return value == null ? '–' : format(value);
}

type CanvasProps = Required<Pick<PlotProps, 'data' | 'format' | 'height' | 'isStepped' | 'isBytes'>> & {
  readonly label: string;
  onPlace(index: number | null): void;
};

function Canvas({ data, format, height, isStepped, isBytes, label, onPlace }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useContext(Theme);
  const names = data.series.map(({ name }) => name).join('\n');
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const place = box.current!;
    const style = getComputedStyle(document.documentElement);
    const look = {
      width: place.clientWidth,
      height,
      format,
      isStepped,
      isBytes,
      onPlace,
      token: (name: string) => style.getPropertyValue(name),
    };
    const drawn = new uPlot(optionsFor(latest.current, look), aligned(latest.current), place);
    plot.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height }));
    watch.observe(place);
    return () => {
      watch.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [theme, height, isStepped, names, data.isTime]);

  useEffect(() => plot.current?.setData(aligned(data)), [data]);
  return <div ref={box} class="plot-box" role="img" aria-label={label} />;
}

const aligned = ({ x, series }: PlotData): uPlot.AlignedData =>
  [x, ...series.map(({ values }) => values)].map((each) => [...each]) as uPlot.AlignedData;
