import { OPTIONAL_LONG_TEXT } from '../../asyncrpc/schemas.ts';

/** A method, taskhash or outhash, or the name of a user. */
export const HASH = { type: 'string', minLength: 1, format: 'hash' };
/** A unihash being stored. */
export const UNIHASH = { type: 'string', format: 'unihash' };
/** Conditions on a table: its columns and their values. */
export const WHERE = { type: 'object', additionalProperties: OPTIONAL_LONG_TEXT };
