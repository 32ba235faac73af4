import { EncodedReply, type Outcome } from '../asyncrpc/service.ts';
import { BakeservError } from '../errors.ts';

/** What became of a request in a word: `ok`, `miss` where what was asked for is not there, or the code of an error. */
export function resultOf(outcome: Outcome): string {
  if (outcome instanceof BakeservError) return outcome.code;
  if (outcome instanceof Error) return 'internal-error';
  return outcome === null || (outcome instanceof EncodedReply && outcome.text === 'null') ? 'miss' : 'ok';
}
