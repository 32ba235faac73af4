import { escaped } from '../../errors.ts';
import { openSink, type Sink } from '../../files/sink.ts';
import { momentOf } from '../../insights/shared-state/report.ts';
import type { Place } from '../../insights/shared-state/run.ts';
import type { Orphan, Survey } from '../../insights/shared-state/survey.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';

/** What may be written of each unihash and object, however many there are: none of it is held in memory. */
export interface Details {
  orphan(orphan: Orphan): Promise<void>;
  /** Writes what is known at the end, and completes the files. */
  end(survey: Survey): Promise<void>;
  abandon(): Promise<void>;
}

const COLUMNS = ['what', 'PN', 'PV', 'PR', 'task', 'unihash', 'reported', 'missing_since', 'bytes', 'object'] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string | number | null>>;

const WRITE_CHARACTERS = 64 * 1024;

/**
 * Opens what `--csv`, `--orphans FILE` and `--keep FILE` ask for.
 * @throws UsageError, InvokeError
 */
export async function openDetails(args: Args, place: Place): Promise<Details> {
  const [orphans, keep] = [args.text('orphans'), args.text('keep')];
  if (orphans !== undefined && place.kind === 'mirror')
    throw new UsageError(
      '--orphans: what a mirror has, and nobody names, cannot be asked for; use it with --sstate-dir',
    );
  const opened: Writer[] = [];
  const writerFor = async (file: string): Promise<Writer> => {
    const writer = new Writer(await openSink(file));
    opened.push(writer);
    return writer;
  };
  const csv = args.has('csv') ? { line: await csvLine(), to: await writerFor('-') } : null;
  const list = orphans === undefined ? null : await writerFor(orphans);
  const kept = keep === undefined ? null : await writerFor(keep);
  const row = async (fields: Row) => csv?.to.write(csv.line(fields));
  if (csv) await csv.to.write(`${COLUMNS.join(',')}\n`);

  return {
    async orphan({ unihash, PN, task, path, bytes }) {
      await row({ what: 'orphan', PN, task, unihash, bytes, object: path });
      // What lies beside it goes with it.
      await list?.write(`${path}\0${path}.siginfo\0${path}.sig\0`);
    },
    async end(survey) {
      for (let number = 0; number < survey.known.size; number++) {
        const state = survey.state(number);
        const unihash = survey.known.unihash(number);
        if (state !== 'missing') await kept?.write(`${unihash}\n`);
        else await row(missingRow(survey, number, unihash));
      }
      for (const writer of opened) await writer.commit();
    },
    async abandon() {
      for (const writer of opened) await writer.abandon();
    },
  };
}

function missingRow({ known, packages }: Survey, number: number, unihash: string): Row {
  return {
    what: 'missing',
    ...packages.get(known.get(number, 'package')),
    unihash,
    reported: momentOf(known.get(number, 'reported')),
    missing_since: momentOf(known.get(number, 'missingSince')),
  };
}

/** As `csvLines` writes them, one at a time. */
async function csvLine(): Promise<(row: Row) => string> {
  const { stringify } = await import('csv-stringify/sync');
  const cell = (value: string | number | null) => (typeof value === 'string' ? escaped(value) : value);
  return (row) => stringify([COLUMNS.map((column) => cell(row[column] ?? null))], { escape_formulas: true });
}

/** Writes in pieces. */
class Writer {
  readonly #sink: Sink;
  #held = '';

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async write(text: string): Promise<void> {
    this.#held += text;
    if (this.#held.length < WRITE_CHARACTERS) return;
    const held = this.#held;
    this.#held = '';
    await this.#sink.write(held);
  }

  async commit(): Promise<void> {
    await this.#sink.write(this.#held);
    await this.#sink.commit();
  }

  abandon(): Promise<void> {
    return this.#sink.abandon();
  }
}
