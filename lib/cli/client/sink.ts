import fs from 'node:fs';
import { write } from './out.ts';

/** Where rows are written to: a file, or standard output for `-`. Errors of the file reject and name it. */
export interface Sink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** @param append keep what the file holds */
export async function openSink(file: string, append = false): Promise<Sink> {
  if (file === '-') return { write: (text) => write(process.stdout, text), close: async () => {} };
  const handle = await fs.promises.open(file, append ? 'a' : 'w');
  return {
    // Not FileHandle.write: that may write a part only.
    write: (text) => handle.appendFile(text),
    async close() {
      await handle.sync().catch(() => {});
      await handle.close();
    },
  };
}
