import { resultOf } from './result.ts';

/**
 * The same pieces; `done` is called once, with their length together and what became of them: `ok`, `closed` when nobody
 * wanted the rest, or the code of an error.
 */
export async function* countPieces(
  pieces: AsyncIterable<string>,
  done: (bytes: number, result: string) => void,
): AsyncGenerator<string> {
  let bytes = 0;
  let result = 'closed';
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      yield piece;
    }
    result = 'ok';
  } catch (error) {
    result = resultOf(error as Error);
    throw error;
  } finally {
    done(bytes, result);
  }
}
