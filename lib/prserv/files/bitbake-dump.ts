import { InvokeError } from '../../errors.ts';
import { largest } from '../revision.ts';
import type { ColumnInfo, PrRow } from '../store.ts';
import type { Parsed } from './formats.ts';

/** A PR dump file of BitBake: what OpenEmbedded's export writes and its import reads. */

/** `PRAUTO$version$pkgarch$checksum = "value"`, split from the right; the other ways of setting a variable too. */
const ROW = /^PRAUTO\$(.*)\$([^$]*)\$([^$]*?)\s*(?:\?\?=|\?=|:=|=)\s*(?:"([^"]*)"|'([^']*)')\s*$/;

/** The row in a line of a dump; null for a line that is not a row. */
export function parseDumpLine(text: string, line: number): Parsed | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('PRAUTO$')) {
    if (
      trimmed === '' ||
      trimmed.startsWith('#') ||
      /^[A-Za-z_][^\s=]*\s*(\?\?=|\?=|:=|=)\s*["'].*["']$/.test(trimmed)
    ) {
      return null;
    }
    return { line, error: 'not a line of a PR dump' };
  }
  const match = ROW.exec(trimmed);
  if (!match) return { line, error: 'expected PRAUTO$version$pkgarch$checksum = "value"' };
  const [, version, pkgarch, checksum] = match as unknown as string[];
  return {
    line,
    row: { version: version!, pkgarch: pkgarch!, checksum: checksum!, value: match[4] ?? match[5] ?? '' },
  };
}

export interface DumpOptions {
  /** Adds `PRSERV_LOCKDOWN = "1"`. */
  readonly lockdown: boolean;
  readonly metainfo: {
    readonly tbl_name?: string;
    readonly core_ver?: string;
    readonly col_info?: readonly ColumnInfo[];
  };
}

/**
 * Rows as a dump, in the order given. After those of a version comes a line with the largest value for each architecture.
 * @throws InvokeError for a row that this format cannot express
 */
export function* formatDump(rows: Iterable<PrRow>, { lockdown, metainfo }: DumpOptions): Generator<string> {
  yield* formatColumns(metainfo);
  if (lockdown) yield 'PRSERV_LOCKDOWN = "1"\n\n';
  let version: string | null = null;
  let maxima = new Map<string, string>();
  for (const row of rows) {
    if (version !== null && version !== row.version) {
      yield maximaLines(version, maxima);
      maxima = new Map();
    }
    version = row.version;
    maxima.set(row.pkgarch, largest(maxima.get(row.pkgarch) ?? null, row.value));
    yield rowLine(row);
  }
  if (version !== null) yield maximaLines(version, maxima);
}

function rowLine(row: PrRow): string {
  const { version, pkgarch, checksum, value } = row;
  const line = `PRAUTO$${version}$${pkgarch}$${checksum} = "${value}"`;
  const back = parseDumpLine(line, 0);
  const same =
    !line.includes('\n') &&
    back !== null &&
    'row' in back &&
    back.row.version === version &&
    back.row.pkgarch === pkgarch &&
    back.row.checksum === checksum &&
    back.row.value === value;
  if (same) return `${line}\n`;
  throw new InvokeError(
    `a BitBake dump cannot carry this row: ${JSON.stringify(row)}; export as JSON, JSON lines or CSV instead`,
  );
}

function maximaLines(version: string, maxima: ReadonlyMap<string, string>): string {
  return [...maxima].map(([pkgarch, value]) => `PRAUTO_${version}_${pkgarch} = "${value}"\n`).join('');
}

function* formatColumns({ tbl_name, core_ver, col_info }: DumpOptions['metainfo']): Generator<string> {
  if (core_ver === undefined && !col_info) return;
  if (core_ver !== undefined) yield `#PR_core_ver = "${core_ver}"\n\n`;
  yield `#Table: ${tbl_name ?? 'PRMAIN'}\n#Columns:\n#name      \t type    \t notn    \t dflt    \t pk\n`;
  yield '#----------\t --------\t --------\t --------\t ----\n';
  for (const { name, type, notnull, dflt_value, pk } of col_info ?? []) {
    const [first, ...rest] = [
      name.padEnd(10),
      type.padEnd(8),
      String(notnull).padEnd(8),
      (dflt_value ?? 'None').padEnd(8),
      pk,
    ];
    yield `#${first}\t ${rest.join('\t ')}\n`;
  }
  yield '\n';
}
