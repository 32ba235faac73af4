import type { ErrorObject } from 'ajv';

/** Parts of the JSON schemas of arguments (see `CommandRow.schema`); the formats are those of wire/formats.ts. */

/** An object with these properties; others are dropped, as BitBake's server does. */
export function object(properties: object, required: readonly string[] = Object.keys(properties)): object {
  return { type: 'object', properties, required };
}

export const TEXT = { type: 'string', minLength: 1, format: 'text' };
export const OPTIONAL_TEXT = { type: ['string', 'null'], format: 'text' };
export const OPTIONAL_LONG_TEXT = { type: ['string', 'null'], format: 'long-text' };

/** An ajv error as a short sentence that begins with the field at fault. */
export function describeFault(error: ErrorObject): { field: string; text: string } {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'required') {
    const field = [path, String(params.missingProperty)].filter(Boolean).join('.');
    return { field, text: `${field} is missing` };
  }
  const name = (path || 'the argument').slice(0, 80);
  if (error.keyword === 'type')
    return { field: path, text: `${name} must be ${String(params.type).replace(',', ' or ')}` };
  if (error.keyword === 'additionalProperties') {
    return {
      field: path,
      text: `${name} holds an unknown key ${JSON.stringify(String(params.additionalProperty).slice(0, 64))}`,
    };
  }
  if (error.keyword === 'format')
    return { field: path, text: `${name} must be ${FORMATS[String(params.format)] ?? params.format}` };
  if (error.keyword === 'enum')
    return { field: path, text: `${name} must be ${(params.allowedValues as unknown[]).map(String).join(' or ')}` };
  if (error.keyword === 'minLength') return { field: path, text: `${name} is empty` };
  return { field: path, text: `${name} ${error.message ?? 'is wrong'}` };
}

/** What the text formats of the schemas mean, for a refusal. */
const FORMATS: Record<string, string> = {
  hash: 'a text of 1 to 256 bytes without control characters',
  text: 'a well-formed text of at most 1024 bytes without NUL',
  'long-text': 'a well-formed text without NUL',
  unihash: '64 lower-case hex digits',
  moment: 'a time in UTC such as 2026-11, 2026-11-22 or 2026-11-22T03:04',
  'pr-value': 'a non-negative integer or dotted integers of at most 9 digits each',
};
