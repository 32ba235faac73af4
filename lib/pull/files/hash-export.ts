import { InvokeError } from '../../errors.ts';
import { type LineCursor, type LinePlace, openLines, type PlacedLine, START } from '../../files/line-cursor.ts';
import { parseRowLine, rowValues } from '../../hashserv/files/rows-file.ts';
import type { RowValues, Table } from '../../hashserv/store.ts';
import type { TaskIndex } from '../../hashserv/task-index.ts';
import type { PullSlice, PullSource } from '../source.ts';

/** Of lines that hold nothing that is wanted, so many bytes are passed over before the pull is asked whether it goes on. */
const PASSED_BYTES = 4 * 1024 * 1024;
const TASKS_AT_ONCE = 1000;

/**
 * A file that `bakeserv-hashclient export` has written. It has outhashes before unihashes, which come the other way round here: so
 * the file is read twice, each time from place to place. Where unihashes must be looked up, as with `--packages`, all of the file's
 * are put into a temporary file first, about 200 bytes each.
 */
export function openHashExport(file: string, openTaskIndex: () => Promise<TaskIndex>, signal: AbortSignal): PullSource {
  const ways: Partial<Record<Table, Way>> = {};
  let index: Promise<TaskIndex> | null = null;

  async function wayFrom(table: Table, after: string | null): Promise<Way> {
    const place = after === null ? START : (JSON.parse(after) as LinePlace);
    const known = ways[table];
    if (known && known.place.offset === place.offset) return known;
    await known?.close();
    const way = new Way(file, table, await openLines(file, place), place);
    ways[table] = way;
    return way;
  }

  async function fillIndex(): Promise<TaskIndex> {
    const made = await openTaskIndex();
    const way = new Way(file, 'unihashes', await openLines(file), START);
    try {
      for (let more = true; more; ) {
        signal.throwIfAborted();
        const slice = await way.slice({ rows: TASKS_AT_ONCE, bytes: PASSED_BYTES });
        const whole = slice.rows.filter((row) => row.every((value) => value !== null));
        if (whole.length > 0) await made.add(whole);
        more = slice.next !== null;
      }
      return made;
    } catch (error) {
      await made.close();
      throw error;
    } finally {
      await way.close();
    }
  }

  return {
    name: file,
    parts: new Set(['unihashes', 'outhashes']),
    isOther: true,
    // The whole file would have to be read for it.
    count: async () => null,
    slice: async (part, after, limits) => (await wayFrom(part as Table, after)).slice(limits),
    async unihashesOf(tasks) {
      index ??= fillIndex();
      return (await index).unihashesOf(tasks);
    },
    id: async () => null,
    async close() {
      for (const way of Object.values(ways)) await way.close();
      await (await index?.catch(() => null))?.close();
    },
  };
}

/** The rows of one table, from a place on. */
class Way {
  private readonly file: string;
  private readonly table: Table;
  private readonly lines: LineCursor;
  /** Lines that were read and not yet given. */
  private read: readonly PlacedLine[] = [];
  private at = 0;
  /** Behind the last line that was given. */
  place: LinePlace;

  constructor(file: string, table: Table, lines: LineCursor, place: LinePlace) {
    this.file = file;
    this.table = table;
    this.lines = lines;
    this.place = place;
  }

  /** @throws InvokeError for a line that is no row of an export */
  async slice(limits: { rows: number; bytes: number }): Promise<PullSlice> {
    const rows: RowValues[] = [];
    const begin = this.place.offset;
    let bytes = 0;
    while (rows.length < limits.rows && bytes < limits.bytes) {
      if (this.at === this.read.length) {
        if (rows.length === 0 && this.place.offset - begin >= PASSED_BYTES) break;
        const next = await this.lines.next();
        if (next === null) return { rows, odd: [], next: null };
        this.read = next;
        this.at = 0;
        continue;
      }
      const line = this.read[this.at++]!;
      const length = line.end - this.place.offset;
      this.place = { offset: line.end, lines: line.number };
      const row = this.rowOf(line);
      if (!row) continue;
      rows.push(row);
      bytes += length;
    }
    return { rows, odd: [], next: JSON.stringify(this.place) };
  }

  /** Null for a row of the other table. */
  private rowOf({ text, number }: PlacedLine): RowValues | null {
    // As exports begin each line: the rows of the other table need not be parsed.
    if (text === '' || text?.startsWith(`{"table": "${this.table === 'unihashes' ? 'outhashes' : 'unihashes'}"`))
      return null;
    const row = text === null ? 'not UTF-8' : parseRowLine(text);
    if (typeof row !== 'string') return row.table === this.table ? rowValues(row) : null;
    throw new InvokeError(
      `${this.file}, line ${number}: ${row}: it is no whole export of bakeserv-hashclient; export it again, and pull that`,
    );
  }

  close(): Promise<void> {
    return this.lines.close();
  }
}
