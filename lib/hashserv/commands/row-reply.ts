import { type Reply, StreamedReply } from '../../asyncrpc/service.ts';
import { encodeJson } from '../../asyncrpc/wire/messages.ts';
import type { HashStore, OuthashRow } from '../store.ts';

/** Characters of a siginfo that are escaped at a time. */
const SLICE_LENGTH = 32 * 1024;

/**
 * A row as an answer. A siginfo that did not come with it is read at the pace of the client: many clients that ask
 * for large rows and do not read the answers cost one piece each.
 */
export function rowReply(store: HashStore, row: OuthashRow | null): Reply {
  if (!row || row.outhash_siginfo !== undefined) return row;
  return new StreamedReply(pieces(store, row));
}

async function* pieces(store: HashStore, row: OuthashRow): AsyncGenerator<string> {
  yield `${encodeJson(row).slice(0, -1)}, "outhash_siginfo": "`;
  for await (const piece of store.siginfo(row.id as number)) {
    for (let at = 0; at < piece.length; at += SLICE_LENGTH) {
      yield encodeJson(piece.slice(at, at + SLICE_LENGTH)).slice(1, -1);
    }
  }
  yield '"}';
}
