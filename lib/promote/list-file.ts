import { openSink } from '../files/sink.ts';

/** All names of a list, as JSON lines in a file: the list in a job's result has room for so many. */
export interface ListFile {
  readonly file: string;
  /** @param list which list of the result it is of */
  add(list: string, name: object): void;
  /** Writes what was added, which is held until then. */
  flush(): Promise<void>;
  /** The file is whole, and gets its name. */
  commit(): Promise<void>;
  /** Nothing is left of it, unless it was committed. */
  abandon(): Promise<void>;
}

/** @throws InvokeError naming the file */
export async function openListFile(file: string): Promise<ListFile> {
  const sink = await openSink(file);
  let lines: string[] = [];
  async function flush(): Promise<void> {
    const text = lines.join('');
    lines = [];
    if (text !== '') await sink.write(text);
  }
  return {
    file,
    add: (list, name) => void lines.push(`${JSON.stringify({ list, ...name })}\n`),
    flush,
    async commit() {
      await flush();
      await sink.commit();
    },
    abandon: () => sink.abandon(),
  };
}
