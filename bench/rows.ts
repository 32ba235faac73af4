import type { Mode } from './requests.ts';

/** How many connections, and how many requests in flight on each. */
export interface Shape {
  readonly connections: number;
  readonly depth: number;
}

/**
 * Which keys a row asks for. hot: asked before; cold: in the database and not asked before in this server process;
 * missing: not in the database, and never stored; new: not in the database yet; none: the request names no key.
 */
export type Temperature = 'hot' | 'cold' | 'missing' | 'new' | 'none';

/** A row of the table of performance.md. */
export interface Row {
  readonly name: string;
  readonly mode: Mode;
  /** What is asked in the warm-up, where that is something else. */
  readonly warmMode?: Mode;
  readonly shape: Shape;
  readonly temperature: Temperature;
  readonly oneShot: boolean;
  /** The bound by count; there is one by time besides. */
  readonly requests: number;
  /** The shape in which echo is measured in the same moment: the speed of this machine. */
  readonly gauge: Shape;
  /** The bar, as a share of echo in the same run. */
  readonly toEcho?: number;
  /** The bar, as a multiple of the reference's rate. */
  readonly toReference?: number;
  /** Requests per second of BitBake's own server, by performance.md: measured on another machine. */
  readonly reference?: number;
  /** The bar for the p99 too, in microseconds. */
  readonly p99Us?: number;
}

const ONE: Shape = { connections: 1, depth: 1 };
const TEN: Shape = { connections: 10, depth: 1 };
const TEN_DEEP: Shape = { connections: 10, depth: 64 };
const HUNDRED: Shape = { connections: 100, depth: 16 };

export const shapeName = ({ connections, depth }: Shape) => `${connections}x${depth}`;

/** Echo on the machine of performance.md's figures, and how much is asked of it for a measurement. */
const ECHO: Readonly<Record<string, { readonly rate: number; readonly requests: number }>> = {
  '1x1': { rate: 56_000, requests: 20_000 },
  '10x1': { rate: 74_000, requests: 60_000 },
  '10x64': { rate: 1_600_000, requests: 600_000 },
  '100x16': { rate: 920_000, requests: 600_000 },
};
export const echoOf = (shape: Shape) => ECHO[shapeName(shape)]!;

type Bar = Pick<Row, 'toEcho' | 'toReference' | 'reference' | 'p99Us'>;

const stream = (
  shape: Shape,
  temperature: 'hot' | 'cold' | 'missing',
  requests: number,
  bar: Bar,
  mode: 'get' | 'exists' = 'get',
): Row => ({
  name: `${mode}-stream ${shapeName(shape)} ${temperature}`,
  mode,
  shape,
  temperature,
  oneShot: false,
  requests,
  gauge: shape,
  ...bar,
});

/** A report that waits for more than this is one too slow, on any machine. */
const REPORT_P99_US = 100_000;

/** A row that says nothing of a bar has none: the reference was not measured in it. */
export const ROWS: readonly Row[] = [
  stream(ONE, 'hot', 20_000, { toEcho: 0.8 }),
  stream(ONE, 'cold', 20_000, { toEcho: 0.8 }),
  stream(TEN, 'hot', 60_000, { toEcho: 0.85 }),
  stream(TEN, 'cold', 60_000, { toEcho: 0.85 }),
  stream(TEN_DEEP, 'hot', 600_000, { toEcho: 0.35 }),
  stream(TEN_DEEP, 'cold', 600_000, { toEcho: 0.35 }),
  stream(TEN_DEEP, 'missing', 600_000, { toEcho: 0.35 }),
  stream(HUNDRED, 'hot', 600_000, { toEcho: 0.35 }),
  stream(HUNDRED, 'cold', 600_000, { toEcho: 0.35 }),
  stream(TEN_DEEP, 'cold', 600_000, { toEcho: 0.3 }, 'exists'),
  message('report 10x1', 'report', TEN, 'new', 10_000, { toReference: 2, reference: 2_700 }),
  message('report 10x64', 'report', TEN_DEEP, 'new', 20_000, {
    toReference: 4,
    reference: 2_700,
    p99Us: REPORT_P99_US,
  }),
  short('connect, report, close', 'report', 'new', 5_000, { toReference: 3, reference: 970 }),
  short('connect, ping, close', 'ping', 'none', 10_000, { toReference: 2, reference: 3_200 }),
  message('get-pr 10x1', 'getpr', TEN, 'new', 20_000, { toReference: 1, reference: 12_500 }),
  message('get-pr 1x1', 'getpr', ONE, 'new', 5_000, {}),
  { ...message('test-pr 10x1', 'testpr', TEN, 'hot', 20_000, {}), warmMode: 'getpr' },
];

function message(name: string, mode: Mode, shape: Shape, temperature: Temperature, requests: number, bar: Bar): Row {
  return { name, mode, shape, temperature, oneShot: false, requests, gauge: shape, ...bar };
}

function short(name: string, mode: Mode, temperature: Temperature, requests: number, bar: Bar): Row {
  return {
    ...message(name, mode, { connections: 4, depth: 1 }, temperature, requests, bar),
    oneShot: true,
    gauge: TEN,
  };
}

/** What a row has to reach, in requests per second. */
export interface Need {
  /** On the machine the reference was measured on; as it stands where the bar is a share of echo. */
  readonly raw: number;
  /** On this machine: raw, scaled by echo here and now over echo there and then. */
  readonly scaled: number;
}

/** The bar of a row, given echo's rate in the row's gauge in the same run; null where it has none. */
export function needOf(row: Row, echoRate: number): Need | null {
  if (row.toEcho !== undefined) return { raw: row.toEcho * echoRate, scaled: row.toEcho * echoRate };
  if (row.toReference === undefined) return null;
  const raw = row.toReference * row.reference!;
  return { raw, scaled: (raw * echoRate) / echoOf(row.gauge).rate };
}

/** How far a row is above its bar, both scaled to this machine: at least 1 when the bar is met, or there is none. */
export function marginOf(row: Row, rate: number, p99Us: number, echoRate: number): number {
  const need = needOf(row, echoRate);
  return marginOver(row, need ? rate / need.scaled : 1, p99Us);
}

/** The same against the figures as they were measured on the other machine. */
export function rawMarginOf(row: Row, rate: number, p99Us: number, echoRate: number): number {
  const need = needOf(row, echoRate);
  return marginOver(row, need ? rate / need.raw : 1, p99Us);
}

function marginOver(row: Row, byRate: number, p99Us: number): number {
  return row.p99Us === undefined ? byRate : Math.min(byRate, row.p99Us / p99Us);
}

/** The bar in words. */
export function barText(row: Row): string {
  if (row.toEcho !== undefined) return `${row.toEcho} echo`;
  if (row.toReference === undefined) return 'none';
  const p99 = row.p99Us === undefined ? '' : `, p99 ${Math.round(row.p99Us / 1000)} ms`;
  return `${row.toReference} ref${p99}`;
}

/** Keys of the three phases of a run: what warms the server up, and what is measured. */
export interface KeyPlan {
  readonly warm: { readonly offset: number; readonly keys: number; readonly requests: number };
  readonly measured: { readonly offset: number; readonly keys: number; readonly requests: number };
}

/** A server that has run for a while is warm code, whatever it has been asked: cold is about keys only. */
const WARM_UP = 20_000;
/** More than any row stores. */
export const KEYS_A_TURN = 250_000;
/** Keys from here on are stored by nobody. */
const MISSING = 2 ** 36;

/**
 * Which keys to ask for, in a database that holds the keys 0 to `hashes - 1`.
 * @param turn keeps the new keys of several measurements on one database apart
 * @param scale shrinks every count, for a quick look
 */
export function planKeys(row: Row, hashes: number, turn: number, scale = 1): KeyPlan {
  const requests = Math.max(100, Math.round(row.requests * scale));
  const spread = (offset: number, keys: number, count = keys) => ({ offset, keys, requests: count });
  const warm = Math.max(1, Math.floor(Math.min(WARM_UP * scale, hashes / 5)));
  switch (row.temperature) {
    case 'hot':
      // What is stored in the warm-up is stored once: a value asked for again may be raised.
      return { warm: spread(0, warm, row.warmMode ? warm : 2 * warm), measured: spread(0, warm, requests) };
    case 'cold':
      return { warm: spread(0, warm), measured: spread(warm, Math.min(requests, hashes - warm)) };
    case 'missing':
      return { warm: spread(MISSING + requests, warm), measured: spread(MISSING, requests) };
    default: {
      // Beyond the rows that are there; a tenth of the work as a warm-up.
      const before = Math.max(50, Math.round(requests / 10));
      const first = hashes + turn * KEYS_A_TURN;
      return { warm: spread(first, before), measured: spread(first + before, requests) };
    }
  }
}
