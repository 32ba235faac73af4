import { StorageError } from '../../../errors.ts';
import type { Binding } from './binding.ts';
import { interruptWhile } from './connections.ts';

/** Connections that others use for a time. */
export interface LentReaders {
  open(): Promise<Binding>;
  /** Interrupts and closes all. The connection that closes last removes the -wal: none of these may. */
  close(): Promise<void>;
}

/** @param connect makes a connection that only reads */
export function createLentReaders(connect: () => Promise<Binding>): LentReaders {
  const lent = new Set<Binding>();
  let closed = false;
  const isClosed = () => new StorageError('storage-closed', 'the database is closed');
  return {
    async open() {
      if (closed) throw isClosed();
      const connection = await connect();
      if (closed) {
        await connection.close();
        throw isClosed();
      }
      let closing: Promise<void> | null = null;
      const reader: Binding = {
        ...connection,
        close() {
          lent.delete(reader);
          closing ??= connection.close();
          return closing;
        },
      };
      lent.add(reader);
      return reader;
    },
    async close() {
      closed = true;
      for (const reader of [...lent]) {
        await interruptWhile(() => reader.busyMs(performance.now()) > 0, reader.interrupt);
        await reader.close();
      }
    },
  };
}

/** Repeatedly: an interrupt ends what runs, and there may be a moment when nothing does. @returns what ends that */
export function interruptWith(signal: AbortSignal, connection: Binding): () => void {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), 20);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearInterval(timer);
  };
}
