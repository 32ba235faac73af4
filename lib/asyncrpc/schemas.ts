/** Parts of the JSON schemas of arguments (see `CommandRow.schema`); the formats are those of wire/formats.ts. */

/** An object with these properties; others are dropped, as BitBake's server does. */
export function object(properties: object, required: readonly string[] = Object.keys(properties)): object {
  return { type: 'object', properties, required };
}

export const TEXT = { type: 'string', minLength: 1, format: 'text' };
export const OPTIONAL_TEXT = { type: ['string', 'null'], format: 'text' };
export const OPTIONAL_LONG_TEXT = { type: ['string', 'null'], format: 'long-text' };
