/** A method, taskhash or outhash. */
export const HASH = { type: 'string', minLength: 1, format: 'hash' };
/** A unihash being stored. */
export const UNIHASH = { type: 'string', format: 'unihash' };
export const OPTIONAL_TEXT = { type: ['string', 'null'], format: 'text' };
export const NAME = { type: 'string', minLength: 1, format: 'hash' };

/** An object with these properties; others are dropped, as BitBake's server does. */
export function object(properties: object, required: readonly string[] = Object.keys(properties)): object {
  return { type: 'object', properties, required };
}
