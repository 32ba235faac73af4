/** A line of a plot, through its points; `aside` are points measured otherwise, drawn hollow. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  readonly aside: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One field of a plot: all share the horizontal axis. */
export interface Panel {
  readonly label: string;
  readonly series: readonly Series[];
}

export interface Plot {
  readonly title: string;
  /** What the horizontal axis counts. */
  readonly label: string;
  /** What the hollow points are. */
  readonly asideLabel: string;
  readonly panels: readonly Panel[];
}

const WIDTH = 860;
const LEFT = 90;
const RIGHT = 30;
const TOP = 44;
const PANEL_HEIGHT = 250;
const LEGEND_HEIGHT = 34;
const BETWEEN = 34;
const BOTTOM = 84;

/** Each line has its own colour, dashes and mark: lines that lie on each other can still be told apart, without colours too. */
const STYLES = [
  { light: '#1d5fc4', dark: '#7db3ff', dashes: '', mark: 'circle' },
  { light: '#b85400', dark: '#ffb168', dashes: '8 4', mark: 'square' },
  { light: '#157a3f', dark: '#6ad694', dashes: '2 4', mark: 'diamond' },
  { light: '#8433b8', dark: '#cf9dff', dashes: '10 3 2 3', mark: 'triangle' },
] as const;

/** Both axes are logarithmic. Readable on a light and on a dark page, and without either. */
export function drawPlot({ title, label, asideLabel, panels }: Plot): string {
  const xs = panels.flatMap(({ series }) =>
    series.flatMap(({ points, aside }) => [...points, ...aside].map(({ x }) => x)),
  );
  const across = logScale(xs, LEFT + 20, WIDTH - RIGHT - 20);
  const height = TOP + panels.length * (LEGEND_HEIGHT + PANEL_HEIGHT + BETWEEN) + BOTTOM - BETWEEN;
  const fields = panels.map((panel, i) =>
    drawPanel(
      panel,
      TOP + i * (LEGEND_HEIGHT + PANEL_HEIGHT + BETWEEN) + LEGEND_HEIGHT,
      across,
      i === panels.length - 1,
    ),
  );
  const bottom = height - BOTTOM;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">
  <title>${escaped(title)}</title>
${styleSheet()}
  <rect class="page" width="${WIDTH}" height="${height}"/>
  <text class="title" x="${WIDTH / 2}" y="26">${escaped(title)}</text>
${fields.join('\n')}
  <text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 46}">${escaped(label)}</text>
  <text class="middle small" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 68}">${escaped(asideLabel)}</text>
</svg>
`;
}

function styleSheet(): string {
  const colours = (theme: 'light' | 'dark') =>
    STYLES.map((style, i) => `.s${i} { stroke: ${style[theme]} } .f${i} { fill: ${style[theme]} }`).join(' ');
  const theme = (page: string, ink: string, grid: string) =>
    `.page, .hollow { fill: ${page} } text { fill: ${ink} } .axis { stroke: ${ink} } .grid { stroke: ${grid} }`;
  return `  <style>
    text { text-anchor: end } .title { text-anchor: middle; font-size: 16px; font-weight: bold } .middle { text-anchor: middle }
    .start { text-anchor: start } .small { font-size: 12px } .line { fill: none; stroke-width: 2 } .mark { stroke-width: 2 } .axis, .grid { stroke-width: 1; fill: none }
    ${theme('#ffffff', '#1b1f24', '#d5dae1')} ${colours('light')}
    @media (prefers-color-scheme: dark) { ${theme('#0f1318', '#e6e9ee', '#343c47')} ${colours('dark')} }
  </style>`;
}

type Scale = ((value: number) => number) & { readonly ticks: readonly number[] };

/** From the power of ten below the least to that above the largest; where values are close, in steps of 1, 2 and 5. */
function logScale(values: readonly number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const low = Math.log10(stepAtMost(least));
  const high = Math.max(Math.log10(stepAtLeast(most)), low + 0.3);
  const place = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++)
    for (const step of high - low > 1.5 ? [1] : [1, 2, 5]) {
      const tick = step * 10 ** power;
      if (Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9) ticks.push(tick);
    }
  return Object.assign(place, { ticks });
}

const STEPS = [1, 2, 5, 10];
/** What is so close to a step is on it. */
const NEARLY = 1 + 1e-9;
/** The largest power of ten that is not above a value. */
function powerOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  if (power > value * NEARLY) return power / 10;
  return power * 10 <= value * NEARLY ? power * 10 : power;
}
const stepAtMost = (value: number) =>
  powerOf(value) * [...STEPS].reverse().find((step) => step * powerOf(value) <= value * NEARLY)!;
const stepAtLeast = (value: number) =>
  powerOf(value) * STEPS.find((step) => step * powerOf(value) >= value * (1 - 1e-9))!;

function drawPanel({ label, series }: Panel, top: number, across: Scale, isLast: boolean): string {
  const bottom = top + PANEL_HEIGHT;
  const ys = series.flatMap(({ points, aside }) => [...points, ...aside].map(({ y }) => y));
  const up = logScale(ys, bottom - 8, top + 8);
  const middle = top + PANEL_HEIGHT / 2;
  const lines = [
    ...up.ticks.map(
      (tick) =>
        `  <path class="grid" d="M${LEFT} ${at(up(tick))}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${at(up(tick) + 4)}">${number(tick)}</text>`,
    ),
    ...across.ticks.map((tick) => {
      const text = isLast
        ? `<text class="middle" x="${at(across(tick))}" y="${bottom + 20}">${number(tick)}</text>`
        : '';
      return `  <path class="grid" d="M${at(across(tick))} ${top}V${bottom}"/>${text}`;
    }),
    `  <path class="axis" d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}"/>`,
    `  <text class="middle" transform="translate(20 ${middle}) rotate(-90)">${escaped(label)}</text>`,
    ...series.map((each, i) => drawSeries(each, i, across, up)),
    ...(series.length > 1 ? series.map((each, i) => drawLegend(each.name, i, series.length, top)) : []),
  ];
  return lines.join('\n');
}

function drawSeries({ points, aside }: Series, i: number, across: Scale, up: Scale): string {
  const place = ({ x, y }: Point) => [across(x), up(y)] as const;
  const path = points.map((point) => place(point).map(at).join(' ')).join('L');
  const marks = points.map((point) => mark(i, ...place(point), `f${i}`));
  const hollow = aside.map((point) => mark(i, ...place(point), 'hollow'));
  return [
    `  <path class="line s${i}" stroke-dasharray="${STYLES[i]!.dashes}" d="M${path}"/>`,
    ...marks,
    ...hollow,
  ].join('\n');
}

function drawLegend(name: string, i: number, count: number, top: number): string {
  const x = LEFT + (i * (WIDTH - LEFT - RIGHT)) / count;
  const y = top - 16;
  return `  <path class="line s${i}" stroke-dasharray="${STYLES[i]!.dashes}" d="M${at(x)} ${y}h34"/>${mark(i, x + 17, y, `f${i}`)}<text class="start" x="${at(x + 42)}" y="${y + 4}">${escaped(name)}</text>`;
}

function mark(i: number, x: number, y: number, fill: string): string {
  const shapes = {
    circle: 'm-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z',
    square: 'm-5-5h10v10h-10z',
    diamond: 'm0-6 6 6-6 6-6-6z',
    triangle: 'm0-6 6 11h-12z',
  };
  return `  <path class="mark s${i} ${fill}" d="M${at(x)} ${at(y)}${shapes[STYLES[i]!.mark]}"/>`;
}

const at = (place: number) => String(Math.round(place * 10) / 10);
const number = (value: number) => value.toLocaleString('en-US');
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
